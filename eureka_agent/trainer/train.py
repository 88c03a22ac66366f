"""Training a generation: all candidates as one population, in one batch of worlds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from eureka_agent.errors import CandidateError, RewardRuntimeError
from eureka_agent.policy import Policy
from eureka_agent.records import TrainingRecord
from eureka_agent.reward import RewardRunner
from eureka_agent.simulation import Environment, make_engine
from eureka_agent.task import Task, TrainingBudget
from eureka_agent.trainer.history import History
from eureka_agent.trainer.networks import Population
from eureka_agent.trainer.ppo import PPO, ReturnScale, UpdateReport
from eureka_agent.trainer.rollout import Rollout, StateRecorder, rewards_of
from eureka_agent.trainer.threads import one_torch_thread


@dataclass(frozen=True)
class TrainResult:
    """What came of one candidate: a policy and its record, or the reason why there is none."""

    record: TrainingRecord | None
    policy: Policy | None
    error: CandidateError | None


@dataclass(frozen=True)
class Progress:
    """Where a training stands, after every iteration; one entry a candidate in each tuple."""

    environment_steps: int
    """Per candidate; their mean where candidates train one after the other."""
    total_steps: int
    """Per candidate, at the end."""
    steps_per_second: float
    """Of all candidates together, over the whole training so far."""
    reward: tuple[float, ...]
    fitness: tuple[float, ...]
    """Of the episodes that ended in this iteration; NaN where none did."""
    episode_length: tuple[float, ...]
    kl: tuple[float, ...]
    """NaN, like the learning rate, where another library trains."""
    learning_rate: tuple[float, ...]
    alive: tuple[bool, ...]


def train(
    task: Task,
    rewards: Sequence[RewardRunner],
    budget: TrainingBudget,
    *,
    seed: int,
    threads: int | None = None,
    device: str = "cpu",
    on_progress: Callable[[Progress], None] | None = None,
) -> list[TrainResult]:
    """Train one policy for each of `rewards`, all at once, each with the whole budget.

    Every candidate starts from the same weights, start states and exploration noise, and none influences
    another: results differ by their rewards alone. A candidate whose reward breaks or whose training diverges
    gets an error; the others go on. `threads`: physics threads on the CPU, by default all cores. `device`: where
    physics and learning run, see `make_engine`; random numbers are the CPU's on every device.
    """
    if not rewards:
        return []
    with one_torch_thread():
        training = _Training(task, rewards, budget, seed, threads, device)
        for progress in training.run():
            if on_progress is not None:
                on_progress(progress)
        return training.results()


@dataclass
class _Member:
    """One candidate in training."""

    index: int
    """Its place in what `train` was given."""
    reward: RewardRunner
    history: History = field(default_factory=History)


class _Training:
    """The state of one population's training: K members, N worlds each."""

    def __init__(
        self,
        task: Task,
        rewards: Sequence[RewardRunner],
        budget: TrainingBudget,
        seed: int,
        threads: int | None,
        device: str,
    ) -> None:
        self._budget, self._n = budget, budget.num_envs
        self._iterations = budget.iterations
        self._members = [_Member(k, reward) for k, reward in enumerate(rewards)]
        self._errors: list[CandidateError | None] = [None] * len(rewards)
        worlds = len(rewards) * self._n
        engine = make_engine(task.model, worlds, device=device, threads=threads)
        self._device = engine.device
        self._env = Environment(task, worlds, seed=seed, streams=self._n, engine=engine)
        self._recorder = StateRecorder(rewards, [variable.name for variable in task.reward_inputs.variables])
        population = Population(
            len(rewards), self._env.observation_size, task.action_size, budget.hidden, budget.initial_std, seed
        ).to(engine.device)
        self._ppo = PPO(population, budget, seed)
        self._scale = ReturnScale(len(rewards), self._n, budget.discount, engine.device)
        self._noise = torch.Generator().manual_seed(seed + 2)
        self._done = 0
        self._steps_of_all = 0
        self._started = time.monotonic()

    def run(self) -> Iterator[Progress]:
        """Train to the end of the budget; yields after every iteration."""
        while self._done < self._iterations and self._members:
            yield self._iterate()

    def results(self) -> list[TrainResult]:
        """Return what came of each candidate, in the order in which `train` was given them."""
        steps, seconds = self._done * self._n * self._budget.horizon, time.monotonic() - self._started
        results = [TrainResult(None, None, error) for error in self._errors]
        for k, member in enumerate(self._members):
            record = member.history.record(steps, seconds)
            results[member.index] = TrainResult(record, self._ppo.population.export(k), None)
        return results

    def _iterate(self) -> Progress:
        rollout, fitness, length = self._collect()
        done = torch.stack(rollout.terminated) | torch.stack(rollout.truncated)
        bad = torch.stack(rollout.bad)
        rewards, components, errors = rewards_of([m.reward for m in self._members], self._recorder.take(), bad)
        alive = torch.tensor([error is None for error in errors], device=self._device)
        last = self._ppo.population.normalise(self._env.observation.view(len(self._members), self._n, -1))
        report = self._ppo.update(rollout, self._scale(rewards, done), last, alive)
        means, bad_counts = rewards.mean(dim=(0, 2)).tolist(), bad.sum(dim=(0, 2)).tolist()
        for k, member in enumerate(self._members):
            member.history.add(means[k], components[k], fitness[k], length[k], bad_counts[k])
            if errors[k] is None and not report.finite[k]:
                errors[k] = RewardRuntimeError("The training diverged: the policy's gradient became NaN or infinite.")
        self._done += 1
        self._steps_of_all += len(self._members) * self._n * self._budget.horizon
        progress = self._progress(means, fitness, length, report, errors)
        self._drop(errors)
        return progress

    @torch.no_grad()
    def _collect(self) -> tuple[Rollout, list[float], list[float]]:
        """Step all worlds `horizon` times; also the mean fitness and length of the episodes that ended."""
        population, env, rollout, k = self._ppo.population, self._env, Rollout(), len(self._members)
        ended = torch.zeros(3, k, device=self._device)  # episodes, fitness, length
        for _ in range(self._budget.horizon):
            observation = env.observation.view(k, self._n, -1)
            population.moments.update(observation)
            x = population.normalise(observation)
            mean = population.actor(x)
            noise = torch.randn(self._n, mean.shape[-1], generator=self._noise).to(self._device)
            action = mean + population.log_std.exp() * noise
            rollout.observations.append(x)
            rollout.actions.append(action)
            rollout.log_probs.append(population.log_prob(mean, action))
            before = env.state
            step = env.step(torch.nan_to_num(action).flatten(0, 1))
            self._recorder.record(before, step)
            rollout.add(step, k)
            episodes = step.finished
            who = episodes.worlds // self._n
            for row, value in enumerate((torch.ones_like(episodes.length), episodes.fitness, episodes.length)):
                ended[row].index_add_(0, who, value)
        means: Tensor = ended[1:] / ended[0]  # NaN where no episode ended
        return rollout, means[0].tolist(), means[1].tolist()

    def _progress(
        self,
        reward: list[float],
        fitness: list[float],
        length: list[float],
        report: UpdateReport,
        errors: list[CandidateError | None],
    ) -> Progress:
        """Put the members' numbers where their candidates stand; those that left have NaN."""
        places = [member.index for member in self._members]

        def spread(values: list[float]) -> tuple[float, ...]:
            known = dict(zip(places, values, strict=True))
            return tuple(known.get(index, math.nan) for index in range(len(self._errors)))

        alive = {place for place, error in zip(places, errors, strict=True) if error is None}
        return Progress(
            environment_steps=self._done * self._n * self._budget.horizon,
            total_steps=self._iterations * self._n * self._budget.horizon,
            steps_per_second=self._steps_of_all / max(time.monotonic() - self._started, 1e-9),
            reward=spread(reward),
            fitness=spread(fitness),
            episode_length=spread(length),
            kl=spread(report.kl.tolist()),
            learning_rate=spread(self._ppo.learning_rate.tolist()),
            alive=tuple(index in alive for index in range(len(self._errors))),
        )

    def _drop(self, errors: list[CandidateError | None]) -> None:
        """Let the candidates that failed go, and their worlds with them: the others get the whole machine."""
        if not any(errors):
            return
        for member, error in zip(self._members, errors, strict=True):
            self._errors[member.index] = error
        rows = [k for k, error in enumerate(errors) if error is None]
        self._members = [self._members[k] for k in rows]
        if rows:
            kept = torch.tensor(rows, device=self._device)
            self._ppo.keep(kept)
            self._scale.keep(kept)
            self._env.keep((kept[:, None] * self._n + torch.arange(self._n, device=self._device)).flatten())

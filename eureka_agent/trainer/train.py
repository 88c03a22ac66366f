"""Training a generation: all candidates as one population, in one batch of worlds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from eureka_agent.errors import CandidateError, RewardRuntimeError
from eureka_agent.policy import Policy
from eureka_agent.records import TrainingRecord
from eureka_agent.reward import RewardRunner
from eureka_agent.simulation import CpuEngine, Environment
from eureka_agent.task import Task, TrainingBudget
from eureka_agent.trainer.history import History
from eureka_agent.trainer.networks import Population
from eureka_agent.trainer.ppo import PPO, ReturnScale
from eureka_agent.trainer.rollout import Rollout, StateRecorder, rewards_of


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
    on_progress: Callable[[Progress], None] | None = None,
) -> list[TrainResult]:
    """Train one policy for each of `rewards`, all at once, each with the whole budget.

    Every candidate starts from the same weights, start states and exploration noise, and none influences
    another: results differ by their rewards alone. A candidate whose reward breaks or whose training diverges
    gets an error; the others go on. `threads`: physics threads, by default all cores.
    """
    if not rewards:
        return []
    with one_torch_thread():
        training = _Training(task, rewards, budget, seed, threads)
        for progress in training.run():
            if on_progress is not None:
                on_progress(progress)
        return training.results()


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Run torch on one thread where there are few cores: the physics needs them, and small products lose by it."""
    threads = torch.get_num_threads()
    if len(os.sched_getaffinity(0)) <= 8:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Training:
    """The state of one population's training; K candidates, N worlds each."""

    def __init__(
        self, task: Task, rewards: Sequence[RewardRunner], budget: TrainingBudget, seed: int, threads: int | None
    ) -> None:
        self._budget = budget
        self._k, self._n = len(rewards), budget.num_envs
        self._iterations = budget.iterations
        self._runners: list[RewardRunner | None] = list(rewards)
        self._errors: list[CandidateError | None] = [None] * self._k
        self._histories = [History() for _ in rewards]
        engine = CpuEngine(task.model, self._k * self._n, threads=threads)
        self._env = Environment(task, self._k * self._n, seed=seed, streams=self._n, engine=engine)
        self._recorder = StateRecorder(rewards, [variable.name for variable in task.reward_inputs.variables])
        population = Population(
            self._k, self._env.observation_size, task.action_size, budget.hidden, budget.initial_std, seed
        )
        self._ppo = PPO(population, budget, seed)
        self._scale = ReturnScale(self._k, self._n, budget.discount)
        self._noise = torch.Generator().manual_seed(seed + 2)
        self._done_iterations = 0
        self._seconds = 0.0

    def run(self) -> Iterator[Progress]:
        """Train to the end of the budget; yields after every iteration."""
        start = time.monotonic()
        while self._done_iterations < self._iterations and any(self._runners):
            progress = self._iterate(start)
            self._seconds = time.monotonic() - start
            yield progress

    def results(self) -> list[TrainResult]:
        """Return what came of each candidate."""
        steps = self._done_iterations * self._n * self._budget.horizon
        return [
            TrainResult(None, None, error)
            if error is not None
            else TrainResult(history.record(steps, self._seconds), self._ppo.population.export(k), None)
            for k, (history, error) in enumerate(zip(self._histories, self._errors, strict=True))
        ]

    def _iterate(self, start: float) -> Progress:
        rollout, fitness, length = self._collect()
        done = torch.stack(rollout.terminated) | torch.stack(rollout.truncated)
        bad = torch.stack(rollout.bad)
        rewards, components, errors = rewards_of(self._runners, self._recorder.take(), bad)
        for k, error in enumerate(errors):
            if error is not None:
                self._drop(k, error)
        alive = torch.tensor([runner is not None for runner in self._runners])
        last = self._ppo.population.normalise(self._env.observation.view(self._k, self._n, -1))
        report = self._ppo.update(rollout, self._scale(rewards, done), last, alive)
        for k in (~report.finite).nonzero()[:, 0].tolist():
            self._drop(
                k, RewardRuntimeError("The training diverged: the gradient of the policy became NaN or infinite.")
            )
        self._done_iterations += 1
        reward_means = rewards.mean(dim=(0, 2)).tolist()
        bad_counts = bad.sum(dim=(0, 2)).tolist()
        for k, history in enumerate(self._histories):
            history.add(reward_means[k], components[k], fitness[k], length[k], bad_counts[k])
        steps = self._done_iterations * self._n * self._budget.horizon
        return Progress(
            environment_steps=steps,
            total_steps=self._iterations * self._n * self._budget.horizon,
            steps_per_second=steps * self._k / max(time.monotonic() - start, 1e-9),
            reward=tuple(reward_means),
            fitness=tuple(fitness),
            episode_length=tuple(length),
            kl=tuple(report.kl.tolist()),
            learning_rate=tuple(self._ppo.learning_rate.tolist()),
            alive=tuple(runner is not None for runner in self._runners),
        )

    @torch.no_grad()
    def _collect(self) -> tuple[Rollout, list[float], list[float]]:
        """Step all worlds `horizon` times; also the mean fitness and length of the episodes that ended."""
        population, env, rollout = self._ppo.population, self._env, Rollout()
        ended = torch.zeros(3, self._k)  # episodes, fitness, length
        for _ in range(self._budget.horizon):
            observation = env.observation.view(self._k, self._n, -1)
            population.moments.update(observation)
            x = population.normalise(observation)
            mean = population.actor(x)
            noise = torch.randn(self._n, mean.shape[-1], generator=self._noise)
            action = mean + population.log_std.exp() * noise
            rollout.observations.append(x)
            rollout.actions.append(action)
            rollout.log_probs.append(population.log_prob(mean, action))
            rollout.values.append(population.value(x))
            before = env.state
            step = env.step(torch.nan_to_num(action).flatten(0, 1))
            self._recorder.record(before, step)
            rollout.add(step, self._k)
            episodes = step.finished
            who = episodes.worlds // self._n
            for row, value in enumerate((torch.ones(len(who)), episodes.fitness, episodes.length)):
                ended[row].index_add_(0, who, value)
        means: Tensor = ended[1:] / ended[0]  # NaN where no episode ended
        return rollout, means[0].tolist(), means[1].tolist()

    def _drop(self, k: int, error: CandidateError) -> None:
        if self._runners[k] is not None:
            self._runners[k] = None
            self._errors[k] = error

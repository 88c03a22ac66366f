"""Training a generation: all candidates as one population, in one batch of worlds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from safetensors import SafetensorError
from torch import Tensor

from eureka_agent.config import Race
from eureka_agent.errors import CandidateError, RewardRuntimeError, StoreError
from eureka_agent.records import Rung
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.simulation import Environment, make_engine
from eureka_agent.tasks.task import Task, TrainingBudget
from eureka_agent.text import one_line
from eureka_agent.training.checkpoint import (
    ActiveMember,
    Checkpoint,
    FinishedMember,
    SavedTensors,
    TrainingState,
    add_prefix,
    kept,
    restore,
    strip_prefix,
)
from eureka_agent.training.history import History
from eureka_agent.training.policy import MOST_BYTES, Policy
from eureka_agent.training.ppo.networks import Population
from eureka_agent.training.ppo.ppo import PPO, ReturnScale, UpdateReport
from eureka_agent.training.racing import FitnessTracker, stopped, times_wider
from eureka_agent.training.results import Progress, TrainResult
from eureka_agent.training.rollout_buffer import Rollout, StateRecorder, rewards_of, too_slow
from eureka_agent.utils.forks import begin_work
from eureka_agent.utils.torch_threads import one_torch_thread

_UNFIT = (
    AttributeError,
    IndexError,
    KeyError,
    OSError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
)


def train(
    task: Task,
    rewards: Sequence[RewardRunner],
    budget: TrainingBudget,
    *,
    seed: int,
    threads: int | None = None,
    device: str = "cpu",
    race: Race | None = None,
    champion: Sequence[Rung] = (),
    checkpoint: Checkpoint | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[TrainResult]:
    """Train one policy for each of `rewards`, all at once, each with the whole budget unless a race
    stops it.

    Every candidate starts from the same weights, start states and exploration noise, and none
    influences
    another: results differ by their rewards alone. A candidate whose reward breaks or whose
        training diverges
    gets an error; the others go on. `threads`: physics threads on the CPU, by default all cores.
    `device`: where physics and learning run, see `make_engine`; random numbers are the CPU's on
    every device. `race`: how candidates that are behind are stopped early, by default not at all;
    `champion`: the rungs of the best so far, which they have to keep up with. `checkpoint`: where
    the training is saved, and goes on from if it was saved there before.
    """
    begin_work()
    if not rewards:
        return []
    with one_torch_thread():
        training = _Training(task, rewards, budget, seed, threads, device, race, champion)
        for progress in training.run(checkpoint):
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
    pace: FitnessTracker = field(default_factory=FitnessTracker)
    rungs: list[Rung] = field(default_factory=list)


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
        race: Race | None,
        champion: Sequence[Rung],
    ) -> None:
        self._task, self._seed = task, seed
        self._budget, self._n, self._horizon = budget, budget.num_envs, budget.horizon
        self._iterations = budget.iterations
        self._race, self._champion = race, {rung.environment_steps: rung for rung in champion}
        self._rungs = (
            [max(1, round(share * self._iterations)) for share in race.rungs] if race else []
        )
        self._members = [_Member(k, reward) for k, reward in enumerate(rewards)]
        self._results: list[TrainResult | None] = [None] * len(rewards)
        worlds = len(rewards) * self._n
        engine = make_engine(task.model, worlds, device=device, threads=threads)
        self._device = engine.device
        reads = {name for reward in rewards for name in reward.parameters}
        self._env = Environment(
            task, worlds, seed=seed, streams=self._n, engine=engine, reads=reads
        )
        self._recorder = StateRecorder(
            rewards, [variable.name for variable in task.reward_inputs.tensors]
        )
        population = Population(
            len(rewards),
            self._env.observation_size,
            task.action_size,
            budget.hidden,
            budget.initial_std,
            seed,
            privileged_size=self._env.privileged_size,
        ).to(engine.device)
        self._ppo = PPO(population, budget, seed)
        self._scale = ReturnScale(len(rewards), self._n, budget.discount, engine.device)
        self._noise = torch.Generator().manual_seed(seed + 2)
        self._done = 0
        self._steps_of_all = 0
        self._simulated_s = 0.0
        self._started = time.monotonic()

    def run(self, checkpoint: Checkpoint | None) -> Iterator[Progress]:
        """Train to the end of the budget; yields after every iteration."""
        if checkpoint is not None and (saved := checkpoint.load()) is not None:
            self._go_on_from(*saved)
        while self._done < self._iterations and self._members:
            yield self._iterate()
            if (
                checkpoint is not None and checkpoint.due and self._members
            ):  # else there is nothing to go on with
                checkpoint.save(*self._state())

    def results(self) -> list[TrainResult]:
        """Return what came of each candidate, in the order in which `train` was given them."""
        for k, member in enumerate(self._members):
            self._results[member.index] = self._trained(k)
        return [result for result in self._results if result is not None]

    def _trained(self, k: int, why_stopped: str = "") -> TrainResult:
        """Return what member `k` has come to."""
        member, seconds = self._members[k], time.monotonic() - self._started
        record = member.history.record(self._steps_each, seconds, member.rungs, why_stopped)
        return TrainResult(record, self._ppo.population.export(k), None)

    @property
    def _steps_each(self) -> int:
        """Environment steps of each member so far."""
        return self._done * self._n * self._horizon

    def _iterate(self) -> Progress:
        began = time.monotonic()
        rollout, fitness, length, gained = self._collect()
        self._simulated_s += time.monotonic() - began
        done = torch.stack(rollout.terminated) | torch.stack(rollout.truncated)
        bad = torch.stack(rollout.bad)
        runners = [member.reward for member in self._members]
        rewards, components, errors = rewards_of(runners, self._recorder.take(), bad)
        errors = [
            error or too_slow(runner, self._simulated_s)
            for error, runner in zip(errors, runners, strict=True)
        ]
        alive = torch.tensor([error is None for error in errors], device=self._device)
        last = self._ppo.population.normalise(
            self._env.critic_observation.view(len(self._members), self._n, -1)
        )
        report = self._ppo.update(rollout, self._scale(rewards, done), last, alive)
        means, bad_counts = rewards.mean(dim=(0, 2)).tolist(), bad.sum(dim=(0, 2)).tolist()
        ends = torch.stack(rollout.terminated).sum(dim=(0, 2)).tolist()
        for k, member in enumerate(self._members):
            member.history.add(means[k], components[k], fitness[k], length[k], bad_counts[k])
            member.pace.add(gained[k], ends[k], self._n * self._horizon)
            if errors[k] is None and not report.finite[k]:
                errors[k] = RewardRuntimeError(
                    "The training diverged: the policy's gradient became NaN or infinite."
                )
        self._done += 1
        self._steps_of_all += len(self._members) * self._n * self._horizon
        progress = self._progress(means, fitness, length, report, errors)
        self._remove_members(
            {
                k: TrainResult(None, None, error)
                for k, error in enumerate(errors)
                if error is not None
            }
        )
        if (
            self._race is not None
            and self._done in self._rungs
            and self._done < self._iterations
            and self._members
        ):
            self._hold_rung(self._race)
        return progress

    def _hold_rung(self, race: Race) -> None:
        """Compare what everyone's worlds have earned lately, and stop those who are behind."""
        length = self._task.max_episode_steps
        standings = [member.pace.standing(length, self._iterations) for member in self._members]
        for member, standing in zip(self._members, standings, strict=True):
            member.rungs.append(standing.rung(self._steps_each))
        reasons = stopped(
            standings,
            race.places(len(self._results), self._rungs.index(self._done)),
            chance=race.chance,
            champion=self._champion.get(self._steps_each),
        )
        left = {
            k: self._trained(k, reason) for k, reason in enumerate(reasons) if reason is not None
        }
        worlds = len(self._results) * self._budget.num_envs
        wider = (
            times_wider(len(standings) - len(left), self._n, worlds, self._horizon)
            if race.hand_on
            else 1
        )
        self._remove_members(left, wider)

    def _collect(self) -> tuple[Rollout, list[float], list[float], list[float]]:
        """Step all worlds as often as a rollout has steps.

        Returns the rollout, mean fitness and length of the episodes that ended, and the fitness of
        all steps.
        """
        population, env, rollout, k = self._ppo.population, self._env, Rollout(), len(self._members)
        ended = torch.zeros(3, k, device=self._device)  # episodes, fitness, length
        gained = torch.zeros(k, device=self._device)
        std = population.networks.log_std.exp()
        for _ in range(self._horizon):
            observation = env.critic_observation.view(k, self._n, -1)
            population.moments.update(observation)
            x = population.normalise(observation)
            mean = population.mean_action(x)
            action = mean + std * self._draw_noise(mean.shape[-1])
            rollout.observations.append(x)
            rollout.means.append(mean)
            rollout.actions.append(action)
            before = env.state
            step = env.step(torch.nan_to_num(action).flatten(0, 1))
            self._recorder.record(before, step)
            rollout.add(step, k)
            gained += step.fitness.view(k, -1).sum(dim=1)
            episodes = step.finished
            who = episodes.worlds // self._n
            for row, value in enumerate(
                (torch.ones_like(episodes.length), episodes.fitness, episodes.length)
            ):
                ended[row].index_add_(0, who, value)
        means: Tensor = ended[1:] / ended[0]  # NaN where no episode ended
        return rollout, means[0].tolist(), means[1].tolist(), gained.tolist()

    def _draw_noise(self, size: int) -> Tensor:
        """Standard normal `(N, size)`: all members explore alike."""
        return torch.randn(self._n, size, generator=self._noise).to(self._device)

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
            return tuple(known.get(index, math.nan) for index in range(len(self._results)))

        alive = {place for place, error in zip(places, errors, strict=True) if error is None}
        seconds = time.monotonic() - self._started
        return Progress(
            environment_steps=self._steps_each,
            total_steps=self._iterations * self._n * self._horizon,
            steps_per_second=self._steps_of_all / max(seconds, 1e-9),
            seconds=seconds,
            reward=spread(reward),
            fitness=spread(fitness),
            episode_length=spread(length),
            kl=spread(report.kl.tolist()),
            learning_rate=spread(self._ppo.learning_rate.tolist()),
            alive=tuple(index in alive for index in range(len(self._results))),
        )

    def _state(self) -> tuple[TrainingState, dict[str, Tensor]]:
        """Return everything this training is, between two iterations."""
        left = [(index, result) for index, result in enumerate(self._results) if result is not None]
        facts = TrainingState(
            done=self._done,
            steps_of_all=self._steps_of_all,
            wider=self._n // self._budget.num_envs,
            seconds=time.monotonic() - self._started,
            members=[
                ActiveMember(m.index, m.history, m.pace.iterations, m.rungs) for m in self._members
            ],
            left=[
                FinishedMember(index, r.record, str(r.error) if r.error else None)
                for index, r in left
            ],
        )
        tensors = {
            "noise": self._noise.get_state(),
            **add_prefix("ppo", self._ppo.state()),
            **add_prefix("scale", kept(self._scale, ReturnScale.STATE)),
            **add_prefix("worlds", self._env.snapshot()),
        }
        policies = {
            index: result.policy.to_bytes() for index, result in left if result.policy is not None
        }
        whole = {
            f"left.{i}": torch.frombuffer(bytearray(data), dtype=torch.uint8)
            for i, data in policies.items()
        }
        return facts, tensors | whole

    def _go_on_from(self, facts: TrainingState, tensors: SavedTensors) -> None:
        """Become what was saved. Raises StoreError when that cannot be: the file may be somebody
        else's."""
        try:
            self._demand_fit(facts, tensors)
            self._restore(facts, tensors)
        except _UNFIT as error:
            raise StoreError(
                "The training that was saved in the run's folder (training.safetensors) is"
                " damaged: remove the file, and the training starts anew"
                f" ({one_line(str(error)[:200])})."
            ) from error

    def _demand_fit(self, facts: TrainingState, tensors: SavedTensors) -> None:
        """Raise ValueError for a state that no training with these rewards could be in, before any
        of it is read."""
        everyone = [*(member.index for member in facts.members), *(one.index for one in facts.left)]
        if sorted(everyone) != list(range(len(self._members))):
            raise ValueError("it has other candidates")
        if not (0 <= facts.done <= self._iterations and 1 <= facts.wider <= len(self._members)):
            raise ValueError("it has other numbers of iterations or worlds")
        for one in facts.left:
            name = f"left.{one.index}"
            if name in tensors and math.prod(tensors.size_of(name)) > MOST_BYTES:
                raise ValueError("a policy is too large")

    def _demand_sizes(self, tensors: SavedTensors) -> None:
        """Raise ValueError when a saved tensor has not the size of that which it is to replace."""
        for name, mine in self._state()[1].items():
            if not name.startswith("left.") and tensors.size_of(name) != tuple(mine.shape):
                raise ValueError(f"{name} has another size")

    def _restore(self, facts: TrainingState, tensors: SavedTensors) -> None:
        """Become what `_state` described; only before the first iteration."""
        here = {member.index for member in facts.members}
        left = {}
        for one in facts.left:
            data = tensors.get(f"left.{one.index}")
            policy = Policy.from_bytes(data.numpy().tobytes()) if data is not None else None
            error = RewardRuntimeError(one.error) if one.error is not None else None
            left[one.index] = TrainResult(one.record, policy, error)
        self._remove_members(
            {k: left[k] for k in range(len(self._members)) if k not in here}, facts.wider
        )
        self._demand_sizes(tensors)
        for member, known in zip(self._members, facts.members, strict=True):
            member.history, member.pace, member.rungs = (
                known.history,
                FitnessTracker(list(known.pace)),
                list(known.rungs),
            )
        self._done, self._steps_of_all = facts.done, facts.steps_of_all
        self._started = time.monotonic() - facts.seconds
        self._noise.set_state(tensors["noise"])
        self._ppo.restore(strip_prefix("ppo", tensors))
        restore(self._scale, strip_prefix("scale", tensors))
        self._env.restore(strip_prefix("worlds", tensors))

    def _remove_members(self, results: dict[int, TrainResult], wider: int = 1) -> None:
        """Let members go with their results, and their worlds with them: the others get the whole
        machine.

        Those that go on have `wider` times the worlds after it, and rollouts as much shorter.
        """
        for k, result in results.items():
            self._results[self._members[k].index] = result
        rows = [k for k in range(len(self._members)) if k not in results]
        self._members = [self._members[k] for k in rows]
        if rows and (results or wider > 1):
            going_on = torch.tensor(rows, device=self._device)
            self._ppo.keep(going_on)
            self._scale.keep(going_on, wider)
            self._reindex_envs(going_on, wider)

    def _reindex_envs(self, members: Tensor, wider: int) -> None:
        """Go on with the worlds of `members (k,)` only; new ones draw like no other of their
        member."""
        own = members[:, None] * self._n + torch.arange(self._n, device=self._device)
        self._env.keep(own.repeat(1, wider).flatten())
        stream = torch.arange(self._n * wider, device=self._device).repeat(len(members))
        new = (stream >= self._n).nonzero()[:, 0]
        self._n, self._horizon = self._n * wider, self._horizon // wider
        if len(new):
            self._env.restart(new, stream[new])

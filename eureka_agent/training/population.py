"""Training a generation: all candidates as one population, in one batch of environments."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from eureka_agent.config import Race
from eureka_agent.errors import CandidateError, RewardRuntimeError
from eureka_agent.records import Rung
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.simulation.batched_env import Episodes, SupportsSnapshot
from eureka_agent.simulation.subset import with_keep
from eureka_agent.tasks.task import Task
from eureka_agent.training.history import History
from eureka_agent.training.initial_policy import held_iterations, start_population
from eureka_agent.training.population_state import restore_training, state_of
from eureka_agent.training.ppo.networks import Population
from eureka_agent.training.ppo.ppo import PPO, ReturnScale, UpdateReport
from eureka_agent.training.racing import FitnessTracker, stopped
from eureka_agent.training.results import Progress, TrainResult
from eureka_agent.training.rollout_buffer import Rollout, StateRecorder, rewards_of, too_slow
from eureka_agent.training.trainer import TrainerSettings
from eureka_agent.utils.forks import begin_work
from eureka_agent.utils.torch_threads import one_torch_thread


class PopulationTrainer:
    """Trains all candidates at once with our own PPO.

    Candidates with the same draw (`TrainerSettings.draws`) start from the same weights, initial
    states and exploration noise, and none influences another: results differ by their rewards
    alone, and by the policies that candidates start from, if any. Minibatches are the same for all.
    Random numbers are the CPU's on every
    device. Where the environments have no snapshots, nothing is saved.
    """

    name = "population"
    supports_racing = True
    supports_checkpoints = True
    supports_initial_policies = True
    supports_draws = True
    supports_gpu = True
    trains_together = True

    def train(
        self,
        task: Task,
        rewards: Sequence[RewardRunner],
        settings: TrainerSettings,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> list[TrainResult]:
        """See `Trainer.train`."""
        begin_work()
        if not rewards:
            return []
        with one_torch_thread():
            training = PopulationTraining(task, rewards, settings)
            for progress in training.run():
                if on_progress is not None:
                    on_progress(progress)
            return training.results()


@dataclass
class Member:
    """One candidate in training."""

    index: int
    """Its place among the rewards."""
    reward: RewardRunner
    has_initial_policy: bool = False
    """Whether it starts from a policy, and not from random weights."""
    races: bool = True
    """Whether a race may stop it."""
    history: History = field(default_factory=History)
    tracker: FitnessTracker = field(default_factory=FitnessTracker)
    rungs: list[Rung] = field(default_factory=list)


@dataclass(frozen=True)
class _Collected:
    """A rollout, and per member: means of the episodes that ended in it, and the fitness gained."""

    rollout: Rollout
    fitness: list[float]
    length: list[float]
    gained: list[float]


class PopulationTraining:
    """The state of one population's training: K members with N environments each."""

    def __init__(
        self, task: Task, rewards: Sequence[RewardRunner], settings: TrainerSettings
    ) -> None:
        budget, seed, race = settings.budget, settings.seed, settings.race
        self.iterations = budget.iterations
        self.members = [Member(k, reward) for k, reward in enumerate(rewards)]
        for member, races in zip(self.members, settings.races, strict=False):
            member.races = races
        self._racers = sum(member.races for member in self.members)
        self.finished: list[TrainResult | None] = [None] * len(rewards)
        self.done = 0
        """Iterations so far."""
        self.steps_of_all = 0
        """Environment steps of all members together so far."""
        self.started = time.monotonic()
        self._task = task
        self._num_envs = budget.num_envs
        self._draws = settings.draws
        self._horizon = budget.horizon
        self._race = race
        self._checkpoint = settings.checkpoint
        self._champion = {rung.environment_steps: rung for rung in settings.champion}
        shares = race.rungs if race else ()
        self._rungs = [max(1, round(share * self.iterations)) for share in shares]
        self._simulated_s = 0.0
        reads = {name for reward in rewards for name in reward.parameters}
        self.env = with_keep(
            task.make_env(
                len(rewards) * budget.num_envs,
                seed=seed,
                streams=settings.draws * budget.num_envs,
                device=settings.device,
                threads=settings.threads,
                reads=reads,
            )
        )
        self._device = self.env.device
        known = [variable.name for variable in task.reward_inputs.tensors]
        self._recorder = StateRecorder(rewards, known)
        population = Population(
            len(rewards),
            self.env.observation_size,
            task.action_size,
            budget.hidden,
            budget.initial_std,
            seed,
            draws=settings.draws,
            privileged_size=self.env.critic_observation.shape[1] - self.env.observation_size,
            choices=task.action_choices,
        )
        start_population(population, settings.initial_policies, budget)
        for member, policy in zip(self.members, settings.initial_policies, strict=False):
            member.has_initial_policy = policy is not None
        population.to(self._device)
        self.ppo = PPO(population, budget, seed)
        self.scale = ReturnScale(len(rewards), budget.num_envs, budget.discount, self._device)
        self.noise = torch.Generator().manual_seed(seed + 2)

    def run(self) -> Iterator[Progress]:
        """Train to the end of the budget; yields after every iteration."""
        saves = self._checkpoint if isinstance(self.env, SupportsSnapshot) else None
        if saves is not None and (saved := saves.load()) is not None:
            restore_training(self, *saved)
        while self.done < self.iterations and self.members:
            yield self._iterate()
            if saves is not None and saves.due and self.members:  # else nothing is left to do
                saves.save(*state_of(self))

    def results(self) -> list[TrainResult]:
        """Return each candidate's result, in the order of the rewards."""
        for k, member in enumerate(self.members):
            self.finished[member.index] = self._trained(k)
        return [result for result in self.finished if result is not None]

    def remove_members(self, results: dict[int, TrainResult]) -> None:
        """Remove members that are done, with their results, and drop their environments."""
        if not results:
            return
        for k, result in results.items():
            self.finished[self.members[k].index] = result
        rows = [k for k in range(len(self.members)) if k not in results]
        self.members = [self.members[k] for k in rows]
        if rows:
            remaining = torch.tensor(rows, device=self._device)
            self.ppo.keep(remaining)
            self.scale.keep(remaining)
            own = torch.arange(self._num_envs, device=self._device)
            self.env.keep((remaining[:, None] * self._num_envs + own).flatten())

    @property
    def _steps_each(self) -> int:
        """Environment steps of each member so far."""
        return self.done * self._num_envs * self._horizon

    def _trained(self, k: int, why_stopped: str | None = None) -> TrainResult:
        """Return the result of member `k` as it is now."""
        member = self.members[k]
        seconds = time.monotonic() - self.started
        record = member.history.record(self._steps_each, seconds, member.rungs, why_stopped)
        return TrainResult(record, self.ppo.population.export(k), None)

    # ------------------------------------------------------------------ one iteration
    def _iterate(self) -> Progress:
        """Collect a rollout, compute its rewards, and update every policy."""
        began = time.monotonic()
        collected = self._collect()
        self._simulated_s += time.monotonic() - began
        rollout = collected.rollout
        done = torch.stack(rollout.terminated) | torch.stack(rollout.truncated)
        bad = torch.stack(rollout.bad)
        rewards, components, errors = self._rewards(bad)
        alive = torch.tensor([error is None for error in errors], device=self._device)
        grouped = self.env.critic_observation.view(len(self.members), self._num_envs, -1)
        last = self.ppo.population.normalise(grouped)
        report = self.ppo.update(rollout, self.scale(rewards, done), last, alive, self._held())
        means = rewards.mean(dim=(0, 2)).tolist()
        bad_counts = bad.sum(dim=(0, 2)).tolist()
        ends = torch.stack(rollout.terminated).sum(dim=(0, 2)).tolist()
        for k, member in enumerate(self.members):
            fitness, length = collected.fitness[k], collected.length[k]
            member.history.add(means[k], components[k], fitness, length, bad_counts[k])
            member.tracker.add(collected.gained[k], ends[k], self._num_envs * self._horizon)
            if errors[k] is None and not report.finite[k]:
                errors[k] = RewardRuntimeError(
                    "The training diverged: the policy's gradient became NaN or infinite."
                )
        self.done += 1
        self.steps_of_all += len(self.members) * self._num_envs * self._horizon
        progress = self._progress(means, components, collected, report, errors)
        failed = {k: error for k, error in enumerate(errors) if error is not None}
        self.remove_members({k: TrainResult(None, None, error) for k, error in failed.items()})
        at_rung = self.done in self._rungs and self.done < self.iterations
        if self._race is not None and at_rung and self.members:
            self._compare_at_rung(self._race)
        return progress

    def _held(self) -> Tensor:
        """`(K,)` bool: the members whose policy waits for a new value function to become useful."""
        early = self.done < held_iterations(self.iterations)
        held = [early and member.has_initial_policy for member in self.members]
        return torch.tensor(held, device=self._device)

    def _rewards(
        self, bad: Tensor
    ) -> tuple[Tensor, list[dict[str, float]], list[CandidateError | None]]:
        """Return the rollout's rewards, see `rewards_of`; a reward that is too slow has failed."""
        runners = [member.reward for member in self.members]
        rewards, components, errors = rewards_of(runners, self._recorder.take(), bad)
        slow = [too_slow(runner, self._simulated_s) for runner in runners]
        return rewards, components, [a or b for a, b in zip(errors, slow, strict=True)]

    def _compare_at_rung(self, race: Race) -> None:
        """Compare the fitness that each member gained lately, and stop those that are worse."""
        length = self._task.max_episode_steps
        estimates = [member.tracker.estimate(length, self.iterations) for member in self.members]
        for member, estimate in zip(self.members, estimates, strict=True):
            member.rungs.append(estimate.rung(self._steps_each))
        racing = [k for k, member in enumerate(self.members) if member.races]
        if not racing:
            return
        reasons = stopped(
            [estimates[k] for k in racing],
            race.survivors(self._racers, self._rungs.index(self.done)),
            chance=race.keep_ties,
            champion=self._champion.get(self._steps_each),
        )
        pairs = zip(racing, reasons, strict=True)
        worse = {k: reason for k, reason in pairs if reason is not None}
        self.remove_members({k: self._trained(k, reason) for k, reason in worse.items()})

    def _collect(self) -> _Collected:
        """Step all environments for the length of a rollout."""
        population = self.ppo.population
        k = len(self.members)
        rollout = Rollout()
        ended = torch.zeros(3, k, device=self._device)  # episodes, fitness, length
        gained = torch.zeros(k, device=self._device)
        for _ in range(self._horizon):
            observation = self.env.critic_observation.view(k, self._num_envs, -1)
            population.moments.update(observation)
            x = population.normalise(observation)
            output = population.output(x)
            action = population.explore(output, self._draw_noise(output.shape[-1]))
            rollout.observations.append(x)
            rollout.outputs.append(output)
            rollout.actions.append(action)
            before = self.env.state
            step = self.env.step(torch.nan_to_num(action).flatten(0, 1))
            self._recorder.record(before, step)
            rollout.add(step, k)
            gained += step.fitness.view(k, -1).sum(dim=1)
            self._add_episodes(ended, step.finished)
        means: Tensor = ended[1:] / ended[0]  # NaN where no episode ended
        return _Collected(rollout, means[0].tolist(), means[1].tolist(), gained.tolist())

    def _add_episodes(self, ended: Tensor, episodes: Episodes) -> None:
        """Add number, fitness and length of the episodes to their member's column of `ended`."""
        member = episodes.env_ids // self._num_envs
        values = (torch.ones_like(episodes.length), episodes.fitness, episodes.length)
        for row, value in enumerate(values):
            ended[row].index_add_(0, member, value)

    def _draw_noise(self, size: int) -> Tensor:
        """Standard normal `(K, N, size)`: all members with the same draw explore alike."""
        noise = torch.randn(self._draws, self._num_envs, size, generator=self.noise)
        noise = noise.to(self._device)
        if self._draws == 1:
            return noise
        return noise[[member.index % self._draws for member in self.members]]

    def _progress(
        self,
        reward: list[float],
        components: list[dict[str, float]],
        collected: _Collected,
        report: UpdateReport,
        errors: list[CandidateError | None],
    ) -> Progress:
        """Put the members' numbers in the places of their candidates; those that left have NaN."""
        places = [member.index for member in self.members]

        def spread(values: list[float]) -> tuple[float, ...]:
            known = dict(zip(places, values, strict=True))
            return tuple(known.get(index, math.nan) for index in range(len(self.finished)))

        named = dict(zip(places, components, strict=True))
        alive = {place for place, error in zip(places, errors, strict=True) if error is None}
        seconds = time.monotonic() - self.started
        return Progress(
            environment_steps=self._steps_each,
            total_steps=self.iterations * self._num_envs * self._horizon,
            steps_per_second=self.steps_of_all / max(seconds, 1e-9),
            seconds=seconds,
            reward=spread(reward),
            components=tuple(named.get(index, {}) for index in range(len(self.finished))),
            fitness=spread(collected.fitness),
            episode_length=spread(collected.length),
            kl=spread(report.kl.tolist()),
            learning_rate=spread(self.ppo.learning_rate.tolist()),
            alive=tuple(index in alive for index in range(len(self.finished))),
        )

"""What the trainers of other libraries share.

Environments that pay one candidate's reward, and training one candidate after the other.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from eureka_agent.config import TrainingBudget
from eureka_agent.errors import CandidateError, RewardRuntimeError
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.simulation.batched_env import Step
from eureka_agent.tasks.task import Task
from eureka_agent.training.history import History
from eureka_agent.training.policy import Policy
from eureka_agent.training.results import Progress, TrainResult
from eureka_agent.training.rollout_buffer import StateRecorder, rewards_of, too_slow
from eureka_agent.training.trainer import TrainerSettings, demand_support
from eureka_agent.utils.torch_threads import one_torch_thread


class ExternalEnvironment:
    """`budget.num_envs` environments that pay one candidate's reward and record its history.

    A library's own vector environment is a thin layer over this one.
    """

    def __init__(
        self,
        task: Task,
        reward: RewardRunner,
        budget: TrainingBudget,
        *,
        seed: int,
        threads: int | None = None,
        on_iteration: Callable[[History], None] = lambda history: None,
    ) -> None:
        """`on_iteration` is called after each iteration of `budget.horizon` steps."""
        self.environment = task.make_env(
            budget.num_envs, seed=seed, threads=threads, reads=reward.parameters
        )
        self.task = task
        self.budget = budget
        self.history = History()
        self._reward = reward
        self._recorder = StateRecorder(
            [reward], [variable.name for variable in task.reward_inputs.tensors]
        )
        self._on_iteration = on_iteration
        self._sums = _Sums()
        self._simulated_s = 0.0

    @torch.no_grad()
    def step(self, action: Tensor) -> tuple[Step, Tensor]:
        """Step all environments and compute the candidate's reward.

        Args:
            action: `(num_envs, action_size)`.

        Returns:
            The step and its rewards, `(num_envs,)`; 0 where the physics diverged.

        Raises:
            CandidateError: The reward fails or the training has diverged.
        """
        if not torch.isfinite(action).all():
            raise _diverged()
        before = self.environment.state
        began = time.monotonic()
        step = self.environment.step(action)
        self._simulated_s += time.monotonic() - began
        self._recorder.record(before, step)
        rewards, (components,), (error,) = rewards_of(
            [self._reward], self._recorder.take(), step.bad.view(1, 1, -1)
        )
        error = error or too_slow(self._reward, self._simulated_s)
        if error is not None:
            raise error
        reward = rewards[0, 0]
        self._sums.add(step, reward, components)
        if self._sums.steps == self.budget.horizon:
            self._sums.close(self.history)
            self._sums = _Sums()
            self._on_iteration(self.history)
        return step, reward


@contextmanager
def blame_divergence(network: nn.Module) -> Iterator[None]:
    """Raise RewardRuntimeError if `network` is not finite afterwards, or if the library fails
    because of that.
    """
    try:
        yield
    except (ValueError, RuntimeError) as error:  # torch's distributions refuse NaN
        if _finite(network):
            raise
        raise _diverged() from error
    if not _finite(network):
        raise _diverged()


def _finite(network: nn.Module) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in network.state_dict().values())


def _diverged() -> CandidateError:
    return RewardRuntimeError("The training diverged: the policy became NaN or infinite.")


@dataclass
class _Sums:
    """Sums over the steps of one iteration."""

    steps: int = 0
    reward: float = 0.0
    components: dict[str, float] = field(default_factory=dict)
    episodes: int = 0
    fitness: float = 0.0
    length: float = 0.0
    bad: int = 0

    def add(self, step: Step, reward: Tensor, components: Mapping[str, float]) -> None:
        self.steps += 1
        self.reward += float(reward.mean())
        for name, value in components.items():
            self.components[name] = self.components.get(name, 0.0) + value
        self.episodes += len(step.finished.env_ids)
        self.fitness += float(step.finished.fitness.sum())
        self.length += float(step.finished.length.sum())
        self.bad += int(step.bad.sum())

    def close(self, history: History) -> None:
        def per_episode(total: float) -> float:
            return total / self.episodes if self.episodes else math.nan

        components = {name: value / self.steps for name, value in self.components.items()}
        fitness, length = per_episode(self.fitness), per_episode(self.length)
        history.add(self.reward / self.steps, components, fitness, length, self.bad)


class SequentialTrainer(ABC):
    """A trainer of another library: one candidate after the other, each to the end, on the CPU.

    All candidates get the same initial states. torch's global random state is restored afterwards.
    """

    name = ""
    supports_racing = False
    supports_checkpoints = False
    supports_initial_policies = False
    supports_draws = False
    supports_gpu = False
    trains_together = False

    @abstractmethod
    def learn(self, env: ExternalEnvironment, seed: int) -> Policy:
        """Train one policy in `env` for the whole of its budget.

        Args:
            env: The environments of one candidate.
            seed: Seed of weights, noise and minibatches; torch's global generator has it already.

        Raises:
            CandidateError: The reward fails or the training diverges.
        """

    def train(
        self,
        task: Task,
        rewards: Sequence[RewardRunner],
        settings: TrainerSettings,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> list[TrainResult]:
        """See `Trainer.train`."""
        demand_support(self, settings)
        reporter = _ProgressReporter(settings.budget, len(rewards), on_progress)
        results = []
        for k, reward in enumerate(rewards):
            with one_torch_thread(), torch.random.fork_rng(devices=[]):
                torch.manual_seed(settings.seed)
                result = self._train_one(task, reward, settings, reporter.listener(k))
            if result.error is not None:
                reporter.drop(k)
            results.append(result)
        return results

    def _train_one(
        self,
        task: Task,
        reward: RewardRunner,
        settings: TrainerSettings,
        on_iteration: Callable[[History], None],
    ) -> TrainResult:
        start = time.monotonic()
        budget, seed = settings.budget, settings.seed
        env = ExternalEnvironment(
            task, reward, budget, seed=seed, threads=settings.threads, on_iteration=on_iteration
        )
        try:
            policy = self.learn(env, seed)
        except CandidateError as error:
            return TrainResult(None, None, error)
        steps = len(env.history.reward) * budget.num_envs * budget.horizon
        record = env.history.record(steps, time.monotonic() - start)
        return TrainResult(record, policy, None)


class _ProgressReporter:
    """Reports the progress of a whole generation.

    Candidates that have not started have NaN; those that are done keep their last numbers.
    """

    def __init__(
        self,
        budget: TrainingBudget,
        candidates: int,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._budget = budget
        self._emit = on_progress or (lambda progress: None)
        self._numbers = [(math.nan, math.nan, math.nan)] * candidates
        self._components: list[Mapping[str, float]] = [{}] * candidates
        self._alive = [True] * candidates
        self._iterations = [0] * candidates
        self._start = time.monotonic()
        self._trained = 0

    def listener(self, k: int) -> Callable[[History], None]:
        """Return what candidate `k` calls after each iteration."""

        def report(history: History) -> None:
            self._numbers[k] = history.reward[-1], history.fitness[-1], history.episode_length[-1]
            self._components[k] = {name: each[-1] for name, each in history.components.items()}
            self._iterations[k] += 1
            self._trained += 1
            self._report()

        return report

    def drop(self, k: int) -> None:
        """Count candidate `k` as done, because it failed."""
        self._alive[k] = False
        if self._iterations[k] < self._budget.iterations:  # otherwise its end is reported already
            self._iterations[k] = self._budget.iterations
            self._report()

    def _report(self) -> None:
        rollout = self._budget.num_envs * self._budget.horizon
        count = len(self._alive)
        reward, fitness, length = zip(*self._numbers, strict=True)
        unknown = (math.nan,) * count
        seconds = time.monotonic() - self._start
        self._emit(
            Progress(
                environment_steps=sum(self._iterations) * rollout // count,
                total_steps=self._budget.iterations * rollout,
                steps_per_second=self._trained * rollout / max(seconds, 1e-9),
                reward=reward,
                components=tuple(self._components),
                fitness=fitness,
                episode_length=length,
                kl=unknown,
                learning_rate=unknown,
                alive=tuple(self._alive),
                seconds=seconds,
            )
        )

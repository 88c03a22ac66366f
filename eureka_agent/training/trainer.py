"""What every trainer is: what it supports, what it is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from eureka_agent.config import Race, TrainingBudget
from eureka_agent.errors import UsageError
from eureka_agent.records import Rung
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.tasks.task import Task
from eureka_agent.training.checkpoint import Checkpoint
from eureka_agent.training.policy import Policy
from eureka_agent.training.results import Progress, TrainResult


@dataclass(frozen=True)
class TrainerSettings:
    """How a trainer trains; what it does not support must keep its default."""

    budget: TrainingBudget
    """How much training each candidate gets."""
    seed: int
    """Seed of weights, initial states, noise and minibatches."""
    threads: int | None = None
    """Physics threads on the CPU, by default all cores."""
    device: str = "cpu"
    """Where physics and learning run."""
    race: Race | None = None
    """How worse candidates are stopped early; None: they are not."""
    races: tuple[bool, ...] = ()
    """Whether the race may stop each candidate; empty: it may stop all of them."""
    champion: tuple[Rung, ...] = ()
    """The rungs of the run's best candidate so far, which a race compares with."""
    checkpoint: Checkpoint | None = None
    """Where the training is saved, and resumed from if it was saved there before."""
    draws: int = 1
    """Number of independent draws of weights, initial states and noise from the seed: candidate `k`
    trains with draw `k % draws`, and those with the same draw share their luck."""
    initial_policies: tuple[Policy | None, ...] = ()
    """What each candidate starts from, None for random weights; empty if all start from those."""


class Trainer(Protocol):
    """Trains one policy for each reward, and declares what it supports."""

    name: str
    """Its name in the config."""
    supports_racing: bool
    """Whether it stops worse candidates early: it takes a race and a champion."""
    supports_checkpoints: bool
    """Whether it saves a training while it runs: it takes a checkpoint."""
    supports_initial_policies: bool
    """Whether a candidate can start from a saved policy."""
    supports_draws: bool
    """Whether candidates can train with different draws from one seed."""
    supports_gpu: bool
    """Whether it takes a device other than the CPU."""
    trains_together: bool
    """Whether it trains all candidates at once, in one batch of environments."""

    def train(
        self,
        task: Task,
        rewards: Sequence[RewardRunner],
        settings: TrainerSettings,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> list[TrainResult]:
        """Train one policy for each reward.

        Args:
            task: The task; its environments may come from any simulator.
            rewards: What computes each candidate's reward.
            settings: How to train; nothing that this trainer does not support.
            on_progress: Called after every iteration.

        Returns:
            A result for each reward, in order. A candidate whose reward breaks or whose training
            diverges has an error; the others continue.

        Raises:
            StoreError: The checkpoint is damaged or cannot be written.
            UsageError: The trainer does not support the task or the settings.
        """
        ...


def demand_support(trainer: Trainer, settings: TrainerSettings) -> None:
    """Raise UsageError for settings that the trainer does not support."""
    unsupported = []
    if settings.race is not None and not trainer.supports_racing:
        unsupported.append("racing")
    if settings.checkpoint is not None and not trainer.supports_checkpoints:
        unsupported.append("checkpoints")
    if any(settings.initial_policies) and not trainer.supports_initial_policies:
        unsupported.append("initial policies")
    if settings.draws != 1 and not trainer.supports_draws:
        unsupported.append("several draws from a seed")
    if settings.device != "cpu" and not trainer.supports_gpu:
        unsupported.append(f"the device {settings.device}")
    if unsupported:
        raise UsageError(
            f"The trainer {trainer.name} does not support {' or '.join(unsupported)}: leave it out,"
            " or use the trainer population."
        )

"""Makes the trainer that a run uses."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from eureka_agent.config import Race, TrainerName, TrainingBudget
from eureka_agent.errors import UsageError
from eureka_agent.records import Rung
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.tasks.task import Task
from eureka_agent.training.checkpoint import Checkpoint
from eureka_agent.training.population import train
from eureka_agent.training.results import Progress, TrainResult


class Trainer(Protocol):
    """Trains one policy for each reward.

    `population.train` is the default. The trainers of other libraries train every candidate to the
    end: they ignore `race`, `champion` and `checkpoint`.
    """

    def __call__(
        self,
        task: Task,
        rewards: Sequence[RewardRunner],
        budget: TrainingBudget,
        *,
        seed: int,
        threads: int | None = None,
        race: Race | None = None,
        champion: Sequence[Rung] = (),
        checkpoint: Checkpoint | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> list[TrainResult]:
        """Train one policy for each reward.

        Args:
            task: The task; its environments may come from any simulator.
            rewards: What computes each candidate's reward.
            budget: How much training each candidate gets.
            seed: Seed of weights, initial states, noise and minibatches.
            threads: Physics threads on the CPU, by default all cores.
            race: How candidates that are worse are stopped early; by default none is.
            champion: The rungs of the run's best candidate so far, which a race compares with.
            checkpoint: Where the training is saved, and resumed from.
            on_progress: Called after every iteration.

        Returns:
            A result for each reward, in order. A candidate that fails has an error; the others
            continue.

        Raises:
            StoreError: The checkpoint is damaged or cannot be written.
            UsageError: The trainer does not support the task or the budget.
        """
        ...


def make_trainer(name: TrainerName, *, algorithm: str = "PPO", device: str = "cpu") -> Trainer:
    """Return a trainer.

    Args:
        name: Its name.
        algorithm: The algorithm of stable-baselines3; the other trainers use PPO.
        device: Where the population trains; the other trainers use the CPU.

    Raises:
        UsageError: Its package is not installed, or it does not train on `device`.
    """
    if name == "population":
        return train if device == "cpu" else partial(train, device=device)
    if device != "cpu":
        raise UsageError(
            f"--trainer {name} trains on the CPU: leave --device {device} out, or use --trainer"
            " population."
        )
    try:
        module = importlib.import_module(f"eureka_agent.training.{name}")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise UsageError(
            f"--trainer {name} needs {package}, which is not installed: pip install"
            f' "eureka-agent[{name}]"'
        ) from error
    trainer: Trainer = (
        partial(module.train_sb3, algorithm=algorithm) if name == "sb3" else module.train_rsl_rl
    )
    return trainer

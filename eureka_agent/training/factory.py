"""Which trainer a run uses."""

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
    """Trains one policy for each of `rewards`; see `train`. Other libraries train all to the end
    and hold no race."""

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
        """Return one result per reward, in order."""
        ...


def make_trainer(name: TrainerName, *, algorithm: str = "PPO", device: str = "cpu") -> Trainer:
    """Return the trainer called `name`. Raises UsageError when its package is not installed.

    `algorithm`: which one of stable-baselines3; the others train with PPO. `device`: where the
    population trains; the others train on the CPU.
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

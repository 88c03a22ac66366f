"""Makes the trainer that a run uses."""

from __future__ import annotations

import importlib

from eureka_agent.config import TrainerName
from eureka_agent.errors import UsageError
from eureka_agent.training.population import PopulationTrainer
from eureka_agent.training.trainer import Trainer


def make_trainer(name: TrainerName, *, algorithm: str = "PPO", device: str = "cpu") -> Trainer:
    """Return a trainer.

    Args:
        name: Its name.
        algorithm: The algorithm of stable-baselines3; the other trainers use PPO.
        device: Where it will train.

    Raises:
        UsageError: Its package is not installed, or it does not train on `device`.
    """
    trainer = _trainer(name, algorithm)
    if device != "cpu" and not trainer.supports_gpu:
        raise UsageError(
            f"--trainer {name} trains on the CPU: leave --device {device} out, or use --trainer"
            " population."
        )
    return trainer


def _trainer(name: TrainerName, algorithm: str) -> Trainer:
    if name == "population":
        return PopulationTrainer()
    try:
        module = importlib.import_module(f"eureka_agent.training.{name}")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise UsageError(
            f"--trainer {name} needs {package}, which is not installed: pip install"
            f' "eureka-agent[{name}]"'
        ) from error
    trainer: Trainer = module.Sb3Trainer(algorithm) if name == "sb3" else module.RslRlTrainer()
    return trainer

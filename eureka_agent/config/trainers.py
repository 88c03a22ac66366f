"""The algorithms of the stable-baselines3 trainer."""

from __future__ import annotations

from typing import Literal

from eureka_agent.errors import UsageError
from eureka_agent.utils.did_you_mean import did_you_mean

TrainerName = Literal["population", "sb3", "rsl_rl"]
SB3_ALGORITHMS = ("A2C", "DDPG", "PPO", "SAC", "TD3")
"""The algorithms of stable-baselines3 that act in continuous spaces."""


def sb3_algorithm(name: str) -> str:
    """Return the stable-baselines3 algorithm called `name`, in any case. Raises UsageError."""
    if name.upper() in SB3_ALGORITHMS:
        return name.upper()
    known = f"{did_you_mean(name, SB3_ALGORITHMS)} Known are {', '.join(SB3_ALGORITHMS)}."
    if name.upper() == "DQN":
        raise UsageError(
            f"DQN chooses among a few actions, but a task's actions are continuous.{known}"
        )
    raise UsageError(f"stable-baselines3 has no algorithm {name!r} for continuous actions.{known}")

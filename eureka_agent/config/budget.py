"""How much training one candidate gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BudgetName = Literal["quick", "normal", "paper"]


@dataclass(frozen=True)
class TrainingBudget:
    """How much training one candidate gets, and how its policy is evaluated and shaped."""

    num_envs: int
    """Environments per candidate."""
    environment_steps: int
    """Environment steps per candidate, over all its environments."""
    horizon: int = 16
    """Environment steps per environment between two policy updates."""
    evaluation_episodes: int = 64
    """Episodes of the final, deterministic evaluation."""
    epochs: int = 5
    minibatches: int = 4
    learning_rate: float = 1e-3
    discount: float = 0.99
    gae_lambda: float = 0.95
    entropy: float = 0.0
    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers of policy and value function."""
    initial_std: float = 1.0
    """Standard deviation of the exploration noise at the start, in units of the action range [-1,
    1]."""

    @property
    def iterations(self) -> int:
        """Number of policy updates: rollouts of `horizon` steps in all environments that fit into
        `environment_steps`."""
        return max(1, round(self.environment_steps / (self.num_envs * self.horizon)))

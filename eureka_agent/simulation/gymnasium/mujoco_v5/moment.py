"""What an environment's own reward and `info` are made of."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from eureka_agent.simulation.physics import Physics


@dataclass(frozen=True)
class Moment:
    """The physics after a step, and what the step did."""

    physics: Physics
    velocity: Tensor
    """`(num_envs, k)` m/s: how fast the task's `places` moved in the step."""
    healthy: Tensor
    """`(num_envs,)`: 1 where no cause for an end holds, else 0."""

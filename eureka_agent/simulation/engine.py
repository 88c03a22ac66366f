"""The contract of a physics engine: a batch of environments of one model, on one device."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from eureka_agent.simulation.physics import InitialState
from eureka_agent.simulation.view import PhysicsView


class Engine(Protocol):
    """The physics of `num_envs` environments.

    `MujocoEnvironment` builds on it. Every engine has the same names and shapes; all numbers are
    float32.
    """

    num_envs: int
    """Number of environments."""
    device: torch.device
    """Where the tensors are; `reset` takes initial states from any device."""

    def step(self, ctrl: Tensor, substeps: int) -> PhysicsView:
        """Advance all environments.

        Args:
            ctrl: `(num_envs, nu)`, the controls, held constant.
            substeps: Number of physics steps.

        Returns:
            All environments after the last physics step; positions and velocities do not lag.
        """
        ...

    def reset(self, ids: Tensor, initial: InitialState) -> PhysicsView:
        """Put some environments into initial states.

        Args:
            ids: `(n,)` int64, the environments.
            initial: Their `n` initial states.

        Returns:
            These `n` environments only.

        Raises:
            SimulationError: An initial state cannot be simulated.
        """
        ...

    def keep(self, ids: Tensor) -> Engine:
        """Return an engine that continues with some environments only.

        Args:
            ids: `(n,)` int64, their numbers in the new order; one that occurs twice is copied.

        Returns:
            An engine of `n` environments.
        """
        ...

    def positions(self) -> Tensor:
        """Return the joint positions of all environments now, after any reset.

        Returns:
            `(num_envs, nq)`, a copy.
        """
        ...

    def snapshot(self) -> Tensor:
        """Return the whole state.

        Returns:
            `(num_envs, size)`: everything that the next step depends on.
        """
        ...

    def restore(self, snapshot: Tensor) -> None:
        """Put all environments into a saved state.

        Args:
            snapshot: What `snapshot` returned.
        """
        ...

    def diverged_envs(self) -> Tensor:
        """Return the environments whose physics diverged in the last step.

        Returns:
            `(num_envs,)` bool.
        """
        ...

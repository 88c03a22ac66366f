"""The contract of a physics engine: a batch of worlds of one model, on one device."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from eureka_agent.simulation.physics import InitialState
from eureka_agent.simulation.view import PhysicsView


class Engine(Protocol):
    """`num_envs` worlds. Every engine has the same names and shapes; everything is float32."""

    num_envs: int
    device: torch.device
    """Where the tensors are; `reset` takes start states from any device."""

    def step(self, ctrl: Tensor, substeps: int) -> PhysicsView:
        """Hold `ctrl (num_envs, nu)` for `substeps` physics steps; positions and velocities do not
        lag."""
        ...

    def reset(self, ids: Tensor, start: InitialState) -> PhysicsView:
        """Put the worlds `ids (n,)` into their start states; return the view of these worlds
        only."""
        ...

    def keep(self, ids: Tensor) -> Engine:
        """Return an engine that goes on with the worlds `ids (n,)` only; one that is there twice
        becomes two."""
        ...

    def snapshot(self) -> Tensor:
        """`(num_envs, size)`: everything that the next step depends on."""
        ...

    def restore(self, snapshot: Tensor) -> None:
        """Put all worlds into the state that `snapshot` returned."""
        ...

    def diverged_envs(self) -> Tensor:
        """`(num_envs,)` bool: the physics of these worlds diverged in the last step."""
        ...

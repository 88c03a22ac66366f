"""What a MuJoCo task works with: initial states, random numbers and a view of the physics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import mujoco
import torch
from torch import Tensor

EpisodeState: TypeAlias = Mapping[str, Tensor]
"""What an episode remembers: tensors with one row per environment, by name."""


@dataclass(frozen=True)
class InitialState:
    """Initial states of `n` environments. A field that is None keeps the model's default."""

    qpos: Tensor
    """`(n, nq)`"""
    qvel: Tensor
    """`(n, nv)`"""
    ctrl: Tensor | None = None
    """`(n, nu)`: the initial controls."""
    episode_state: EpisodeState = field(default_factory=dict)
    """`(n, …)` each: what the episode remembers at its first step."""


class Random(Protocol):
    """Random numbers for `n` environments, independent of which environments draw together."""

    n: int
    """Number of environments."""

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """`(n, *shape)` in [low, high)."""
        ...

    def normal(self, std: float, *shape: int) -> Tensor:
        """`(n, *shape)` from a normal distribution with mean 0."""
        ...

    def integers(self, high: int) -> Tensor:
        """`(n,)` int64 in [0, high)."""
        ...


class Physics(Protocol):
    """What a task may read of the engine: float32 tensors on one device, current at each step."""

    @property
    def num_envs(self) -> int:
        """Number of environments."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        ...

    @property
    def model(self) -> mujoco.MjModel:
        """The compiled scene."""
        ...

    @property
    def qpos(self) -> Tensor:
        """`(num_envs, nq)`"""
        ...

    @property
    def qvel(self) -> Tensor:
        """`(num_envs, nv)`"""
        ...

    @property
    def ctrl(self) -> Tensor:
        """`(num_envs, nu)`: the controls that were applied last."""
        ...

    def sensor(self, name: str) -> Tensor:
        """`(num_envs, dim)`: a sensor of the model. Position and velocity sensors do not lag if
        the task has no `data_fields`."""
        ...

    def data(self, name: str) -> Tensor:
        """`(num_envs, …)`: a field of MuJoCo's `MjData` that the task lists in `data_fields`."""
        ...

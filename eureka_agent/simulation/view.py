"""The physics of a batch of environments at one moment, as a task reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import mujoco
import torch
from torch import Tensor


@dataclass(frozen=True)
class PhysicsView:
    """Float32 tensors of `num_envs` environments on one device; implements `Physics`.

    Each step makes new tensors, so a view does not change when the environments are stepped.
    """

    model: mujoco.MjModel
    qpos: Tensor
    """`(num_envs, nq)`"""
    qvel: Tensor
    """`(num_envs, nv)`"""
    ctrl: Tensor
    """`(num_envs, nu)`"""
    sensordata: Tensor
    """`(num_envs, nsensordata)`"""
    data_fields: Mapping[str, Tensor] = field(default_factory=dict, kw_only=True)
    """`(num_envs, …)` each: the fields of `MjData` that the task reads, by name."""

    @property
    def num_envs(self) -> int:
        """Number of environments in this view."""
        return len(self.qpos)

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.qpos.device

    def sensor(self, name: str) -> Tensor:
        """`(num_envs, dim)`: the named sensor."""
        sensor = self.model.sensor(name)
        start = int(sensor.adr[0])
        return self.sensordata[:, start : start + int(sensor.dim[0])]

    def data(self, name: str) -> Tensor:
        """`(num_envs, …)`: the named field of `MjData`."""
        return self.data_fields[name]

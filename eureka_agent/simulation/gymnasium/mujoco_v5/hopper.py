"""Hopper-v5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from eureka_agent.simulation.gymnasium.mujoco_v5.budgets import budgets
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Range
from eureka_agent.simulation.gymnasium.mujoco_v5.upright import UprightSettings, UprightTask
from eureka_agent.simulation.physics import Physics
from eureka_agent.tasks.task import State


@dataclass(frozen=True, kw_only=True)
class HopperSettings(UprightSettings):
    """The keyword arguments."""

    xml_file: str = "hopper.xml"
    healthy_state_range: Range = (-100.0, 100.0)
    healthy_z_range: Range = (0.7, float("inf"))
    healthy_angle_range: Range = (-0.2, 0.2)


class Hopper(UprightTask[HopperSettings]):
    """Hopper-v5: torso, thigh, leg and foot in one plane."""

    environment = "Hopper-v5"
    description = "make the one-legged hopper hop forward as fast as possible without falling"
    build_notes = (
        "x is forward, z is up; the hopper moves in the xz-plane alone. Its one leg has a thigh, a"
        " leg and a foot. It starts at rest and stretched, the torso 1.25 m high."
    )
    feet = ("foot_geom",)
    BUDGETS = budgets(
        num_envs=16,
        horizon=128,
        quick=400_000,
        normal=1_000_000,
        paper=20_000_000,
        discount=0.995,
        gae_lambda=0.98,
    )

    def causes(self, *measures: Tensor) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes`."""
        height, pitch, numbers = measures
        smallest, largest = self.settings.healthy_state_range
        wild = ((numbers <= smallest) | (numbers >= largest)).any(dim=1)
        bounds = f"({smallest:g}, {largest:g})"
        return {**self.outside(height, pitch), f"an angle or a velocity outside {bounds}": wild}

    def causes_now(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes_now`."""
        qpos, qvel = physics.qpos, physics.qvel
        return self.causes(qpos[:, 1], qpos[:, 2], torch.cat((qpos[:, 2:], qvel), dim=1))

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        numbers = (
            state["torso_pitch"][:, None],
            state["joint_positions"],
            state["torso_velocity"],
            state["torso_pitch_velocity"][:, None],
            state["joint_velocities"],
        )
        height = state["torso_position"][:, 2]
        return self.causes(height, state["torso_pitch"], torch.cat(numbers, dim=1))

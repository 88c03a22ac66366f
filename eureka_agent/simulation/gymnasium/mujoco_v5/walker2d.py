"""Walker2d-v5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from eureka_agent.simulation.gymnasium.mujoco_v5.budgets import budgets
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Range
from eureka_agent.simulation.gymnasium.mujoco_v5.upright import UprightSettings, UprightTask
from eureka_agent.simulation.physics import Physics
from eureka_agent.tasks.task import State


@dataclass(frozen=True, kw_only=True)
class Walker2dSettings(UprightSettings):
    """The keyword arguments."""

    xml_file: str = "walker2d_v5.xml"
    healthy_z_range: Range = (0.8, 2.0)
    healthy_angle_range: Range = (-1.0, 1.0)


class Walker2d(UprightTask[Walker2dSettings]):
    """Walker2d-v5: a torso on two legs in one plane."""

    environment = "Walker2d-v5"
    description = "make the two-legged walker walk forward as fast as possible without falling"
    build_notes = (
        "x is forward, z is up; the walker moves in the xz-plane alone. Its right leg has a thigh,"
        " a leg and a foot (thigh_joint, leg_joint, foot_joint), its left leg the same"
        " (thigh_left_joint, …). It starts at rest, upright with straight legs, the torso 1.25 m"
        " high."
    )
    feet = ("foot_geom", "foot_left_geom")
    BUDGETS = budgets(
        num_envs=16,
        horizon=128,
        quick=500_000,
        normal=2_000_000,
        paper=20_000_000,
        discount=0.995,
        gae_lambda=0.98,
    )

    def causes(self, *measures: Tensor) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes`."""
        height, pitch = measures
        return self.outside(height, pitch)

    def causes_now(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes_now`."""
        return self.causes(physics.qpos[:, 1], physics.qpos[:, 2])

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        return self.causes(state["torso_position"][:, 2], state["torso_pitch"])

"""What robots in the vertical xz-plane share: their first joints are two slides and a hinge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import mujoco
import torch
from torch import Tensor

from eureka_agent.simulation.gymnasium.mujoco_v5.models import joint_kinds, joint_names
from eureka_agent.simulation.gymnasium.mujoco_v5.moment import Moment
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Settings
from eureka_agent.simulation.gymnasium.mujoco_v5.task import MujocoV5Task
from eureka_agent.simulation.gymnasium.mujoco_v5.variables import (
    joint_positions,
    joint_velocities,
    position,
    velocity,
)
from eureka_agent.simulation.physics import EpisodeState, Physics
from eureka_agent.tasks.task import State, StateVariable

SettingsT = TypeVar("SettingsT", bound="PlanarSettings")
_ROOT = 3
"""Joints of the torso: along x, along z, and its lean."""


@dataclass(frozen=True, kw_only=True)
class PlanarSettings(Settings):
    """What planar robots have."""

    forward_reward_weight: float = 1.0
    ctrl_cost_weight: float
    reset_noise_scale: float
    exclude_current_positions_from_observation: bool = True


class PlanarTask(MujocoV5Task[SettingsT]):
    """A robot in the xz-plane."""

    velocity_names = ("x_velocity",)
    fastest: float = float("inf")
    """Velocities are clipped to this size in the observation."""

    @classmethod
    def fits(cls, model: mujoco.MjModel, settings: Settings) -> bool:
        """See `MujocoV5Task.fits`."""
        return super().fits(model, settings) and bool(re.fullmatch("sshh+", joint_kinds(model)))

    def variables(self) -> Sequence[StateVariable]:
        """See `MujocoV5Task.variables`."""
        joints = joint_names(self.model, _ROOT)
        return (
            position("torso_position", "position of the torso; x is forward, z is up"),
            velocity("torso_velocity", "linear velocity of the torso"),
            StateVariable(
                "torso_pitch",
                (),
                "rad",
                "world",
                "lean of the torso, 0 in the model's own pose, positive forward",
                "angle",
            ),
            StateVariable(
                "torso_pitch_velocity", (), "rad/s", "world", "rate of the torso's lean", "speed"
            ),
            joint_positions(joints, "angles of the joints, 0 in the model's own pose"),
            joint_velocities(joints),
        )

    def quantities(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.quantities`."""
        qpos, qvel = physics.qpos, physics.qvel
        return {
            "torso_position": _in_plane(qpos[:, 0], qpos[:, 1] + self._height_offset),
            "torso_velocity": _in_plane(qvel[:, 0], qvel[:, 1]),
            "torso_pitch": qpos[:, 2],
            "torso_pitch_velocity": qvel[:, 2],
            "joint_positions": qpos[:, _ROOT:],
            "joint_velocities": qvel[:, _ROOT:],
        }

    @property
    def _height_offset(self) -> float:
        """The torso's height where its slide is at 0, m."""
        return float(self.model.body_pos[1, 2] - self.model.qpos0[1])

    def expressions(self) -> dict[str, str]:
        """See `MujocoV5Task.expressions`."""
        height = f"env.data.qpos[1] + {self._height_offset!r}"
        return {
            "torso_position": f"np.array([env.data.qpos[0], 0.0, {height}])",
            "torso_velocity": "np.array([env.data.qvel[0], 0.0, env.data.qvel[1]])",
            "torso_pitch": "env.data.qpos[2]",
            "torso_pitch_velocity": "env.data.qvel[2]",
            "joint_positions": f"env.data.qpos[{_ROOT}:]",
            "joint_velocities": f"env.data.qvel[{_ROOT}:]",
        }

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        position, velocity = state["torso_position"], state["torso_velocity"]
        seen = [] if self.settings.exclude_current_positions_from_observation else [position[:, :1]]
        seen += [
            position[:, 2:] - self._height_offset,
            state["torso_pitch"][:, None],
            state["joint_positions"],
        ]
        moving = (
            velocity[:, [0, 2]],
            state["torso_pitch_velocity"][:, None],
            state["joint_velocities"],
        )
        fast = torch.cat(moving, dim=1).clamp(-self.fastest, self.fastest)
        return torch.cat((*seen, fast), dim=1)

    def places(self, physics: Physics) -> Tensor:
        """See `MujocoV5Task.places`."""
        return physics.qpos[:, :1]

    def info(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.info`."""
        return {**super().info(moment), "x_position": moment.physics.qpos[:, 0]}

    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.terms`."""
        ctrl = moment.physics.ctrl
        return {
            "reward_forward": self.settings.forward_reward_weight * moment.velocity[:, 0],
            "reward_ctrl": -self.settings.ctrl_cost_weight * (ctrl * ctrl).sum(dim=1),
        }


def _in_plane(x: Tensor, z: Tensor) -> Tensor:
    return torch.stack((x, torch.zeros_like(x), z), dim=1)

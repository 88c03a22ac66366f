"""What robots share that move freely: their first joint is free, all others are hinges."""

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

SettingsT = TypeVar("SettingsT", bound="FloatingSettings")
_ROOT_QPOS, _ROOT_QVEL = 7, 6
"""Entries of the free joint."""


@dataclass(frozen=True, kw_only=True)
class FloatingSettings(Settings):
    """What all of them have."""

    frame_skip: int = 5
    reset_noise_scale: float
    exclude_current_positions_from_observation: bool = True


class FloatingTask(MujocoV5Task[SettingsT]):
    """A robot with a free torso."""

    observed_fields: Sequence[str] = ()
    """More variables that the observation has at its end, in its order."""

    @classmethod
    def fits(cls, model: mujoco.MjModel, settings: Settings) -> bool:
        """See `MujocoV5Task.fits`."""
        return super().fits(model, settings) and bool(re.fullmatch("fh+", joint_kinds(model)))

    def variables(self) -> Sequence[StateVariable]:
        """See `MujocoV5Task.variables`."""
        joints = joint_names(self.model, 1)
        return (
            position("torso_position", "position of the torso; z is up"),
            StateVariable(
                "torso_quaternion",
                (4,),
                "-",
                "world",
                "orientation of the torso (w, x, y, z)",
                "quaternion_wxyz",
            ),
            velocity("torso_velocity", "linear velocity of the torso"),
            StateVariable(
                "torso_angular_velocity",
                (3,),
                "rad/s",
                "torso",
                "angular velocity of the torso",
                "angular_velocity",
            ),
            joint_positions(joints, "angles of the joints, 0 in the model's own pose"),
            joint_velocities(joints),
        )

    def quantities(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.quantities`."""
        qpos, qvel = physics.qpos, physics.qvel
        return {
            "torso_position": qpos[:, :3],
            "torso_quaternion": qpos[:, 3:_ROOT_QPOS],
            "torso_velocity": qvel[:, :3],
            "torso_angular_velocity": qvel[:, 3:_ROOT_QVEL],
            "joint_positions": qpos[:, _ROOT_QPOS:],
            "joint_velocities": qvel[:, _ROOT_QVEL:],
        }

    def expressions(self) -> dict[str, str]:
        """See `MujocoV5Task.expressions`."""
        return {
            "torso_position": "env.data.qpos[:3]",
            "torso_quaternion": f"env.data.qpos[3:{_ROOT_QPOS}]",
            "torso_velocity": "env.data.qvel[:3]",
            "torso_angular_velocity": f"env.data.qvel[3:{_ROOT_QVEL}]",
            "joint_positions": f"env.data.qpos[{_ROOT_QPOS}:]",
            "joint_velocities": f"env.data.qvel[{_ROOT_QVEL}:]",
        }

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        first = 2 if self.settings.exclude_current_positions_from_observation else 0
        seen = (
            state["torso_position"][:, first:],
            state["torso_quaternion"],
            state["joint_positions"],
            state["torso_velocity"],
            state["torso_angular_velocity"],
            state["joint_velocities"],
            *(state[name].flatten(1) for name in self.observed_fields),
        )
        return torch.cat(seen, dim=1)

    def info(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.info`."""
        qpos = moment.physics.qpos
        known = {
            "x_position": qpos[:, 0],
            "y_position": qpos[:, 1],
            "z_distance_from_origin": qpos[:, 2] - float(self.model.qpos0[2]),
            "distance_from_origin": qpos[:, :2].norm(dim=1),
        }
        return {**super().info(moment), **{name: known[name] for name in self.info_names}}

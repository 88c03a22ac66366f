"""Swimmer-v5."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import torch
from torch import Tensor

from eureka_agent.simulation.gymnasium.mujoco_v5.budgets import budgets
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
from eureka_agent.simulation.physics import EpisodeState, Physics, Random
from eureka_agent.tasks.task import State, StateVariable


@dataclass(frozen=True, kw_only=True)
class SwimmerSettings(Settings):
    """The keyword arguments."""

    xml_file: str = "swimmer.xml"
    frame_skip: int = 4
    forward_reward_weight: float = 1.0
    ctrl_cost_weight: float = 1e-4
    reset_noise_scale: float = 0.1
    exclude_current_positions_from_observation: bool = True


class Swimmer(MujocoV5Task[SwimmerSettings]):
    """Swimmer-v5: a chain of three rods in a viscous fluid, in the horizontal plane."""

    environment = "Swimmer-v5"
    description = "make the swimmer swim along x as fast as possible"
    build_notes = (
        "x is forward; the swimmer moves in the horizontal xy-plane, in a viscous fluid without a"
        " ground to push against. Three rods of 1 m, torso (in front), mid and back, are joined by"
        " two hinges about z. It starts nearly straight along x and at rest."
    )
    velocity_names = ("x_velocity", "y_velocity")
    info_names = ("x_position", "y_position", "distance_from_origin")
    data_fields = ("xpos",)
    BUDGETS = budgets(
        num_envs=16,
        horizon=128,
        quick=300_000,
        normal=1_000_000,
        paper=20_000_000,
        discount=0.999,
        gae_lambda=0.98,
    )

    @classmethod
    def fits(cls, model: mujoco.MjModel, settings: Settings) -> bool:
        """See `MujocoV5Task.fits`."""
        return super().fits(model, settings) and bool(re.fullmatch("sshh+", joint_kinds(model)))

    def variables(self) -> Sequence[StateVariable]:
        """See `MujocoV5Task.variables`."""
        joints = joint_names(self.model, 3)
        return (
            position("torso_position", "position of the torso's own frame; x is forward"),
            velocity("torso_velocity", "linear velocity of the torso's own frame"),
            StateVariable(
                "torso_angle",
                (),
                "rad",
                "world",
                "direction of the torso about z, 0 along x",
                "angle",
            ),
            StateVariable(
                "torso_angular_velocity", (), "rad/s", "world", "rate of torso_angle", "speed"
            ),
            joint_positions(joints, "angles of the joints, 0 in a straight line"),
            joint_velocities(joints),
        )

    def quantities(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.quantities`."""
        qpos, qvel = physics.qpos, physics.qvel
        return {
            "torso_position": _in_plane(qpos[:, :2]),
            "torso_velocity": _in_plane(qvel[:, :2]),
            "torso_angle": qpos[:, 2],
            "torso_angular_velocity": qvel[:, 2],
            "joint_positions": qpos[:, 3:],
            "joint_velocities": qvel[:, 3:],
        }

    def expressions(self) -> dict[str, str]:
        """See `MujocoV5Task.expressions`."""
        return {
            "torso_position": "np.array([*env.data.qpos[:2], 0.0])",
            "torso_velocity": "np.array([*env.data.qvel[:2], 0.0])",
            "torso_angle": "env.data.qpos[2]",
            "torso_angular_velocity": "env.data.qvel[2]",
            "joint_positions": "env.data.qpos[3:]",
            "joint_velocities": "env.data.qvel[3:]",
        }

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        first = 2 if self.settings.exclude_current_positions_from_observation else 0
        seen = (
            state["torso_position"][:, first:2],
            state["torso_angle"][:, None],
            state["joint_positions"],
            state["torso_velocity"][:, :2],
            state["torso_angular_velocity"][:, None],
            state["joint_velocities"],
        )
        return torch.cat(seen, dim=1)

    def start(self, random: Random) -> tuple[Tensor, Tensor]:
        """See `MujocoV5Task.start`."""
        noise = self.settings.reset_noise_scale
        return self.near_pose(random, noise), random.uniform(-noise, noise, self.model.nv)

    def places(self, physics: Physics) -> Tensor:
        """See `MujocoV5Task.places`."""
        return physics.qpos[:, :2]

    def info(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.info`."""
        place = moment.physics.qpos[:, :2]
        return {
            **super().info(moment),
            "x_position": place[:, 0],
            "y_position": place[:, 1],
            "distance_from_origin": place.norm(dim=1),
        }

    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.terms`."""
        ctrl = moment.physics.ctrl
        return {
            "reward_forward": self.settings.forward_reward_weight * moment.velocity[:, 0],
            "reward_ctrl": -self.settings.ctrl_cost_weight * (ctrl * ctrl).sum(dim=1),
        }


def _in_plane(place: Tensor) -> Tensor:
    return torch.cat((place, torch.zeros_like(place[:, :1])), dim=1)

"""Reacher-v5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import torch
from torch import Tensor

from eureka_agent.simulation.gymnasium.mujoco_v5.budgets import budgets
from eureka_agent.simulation.gymnasium.mujoco_v5.models import body_ids, joint_kinds, joint_names
from eureka_agent.simulation.gymnasium.mujoco_v5.moment import Moment
from eureka_agent.simulation.gymnasium.mujoco_v5.rejection import first_accepted
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Settings
from eureka_agent.simulation.gymnasium.mujoco_v5.task import MujocoV5Task
from eureka_agent.simulation.gymnasium.mujoco_v5.variables import (
    joint_positions,
    joint_velocities,
    position,
)
from eureka_agent.simulation.physics import EpisodeState, Physics, Random
from eureka_agent.tasks.task import State, StateVariable

_ARM = 2
"""Joints of the arm; those of the target follow."""
_REACH_M = 0.2
"""Targets are nearer to the middle than this."""
_NOISE_RAD, _VELOCITY_NOISE = 0.1, 0.005
_BODIES = ("fingertip", "target")


@dataclass(frozen=True, kw_only=True)
class ReacherSettings(Settings):
    """The keyword arguments."""

    xml_file: str = "reacher.xml"
    frame_skip: int = 2
    reward_dist_weight: float = 1.0
    reward_control_weight: float = 1.0


class Reacher(MujocoV5Task[ReacherSettings]):
    """Reacher-v5: an arm of two links in the horizontal plane, and a target."""

    environment = "Reacher-v5"
    description = "bring the fingertip of the arm to the target and hold it there"
    build_notes = (
        "The arm moves in the horizontal xy-plane about the origin; its links are 0.1 m and 0.11 m"
        " long. It starts nearly stretched along x and at rest. The target is somewhere within"
        " 0.2 m of the origin and does not move."
    )
    data_fields = ("xpos",)
    BUDGETS = budgets(num_envs=32, horizon=50, quick=300_000, normal=1_000_000, paper=10_000_000)

    @classmethod
    def fits(cls, model: mujoco.MjModel, settings: Settings) -> bool:
        """See `MujocoV5Task.fits`."""
        known = joint_kinds(model) == "hhss" and body_ids(model, _BODIES) is not None
        return super().fits(model, settings) and known

    def variables(self) -> Sequence[StateVariable]:
        """See `MujocoV5Task.variables`."""
        joints = joint_names(self.model, 0)[:_ARM]
        return (
            position("fingertip_position", "position of the fingertip"),
            position("target_position", "position of the target", "fingertip_position"),
            joint_positions(joints, "angles of the shoulder and the elbow, 0 stretched along x"),
            joint_velocities(joints),
        )

    def quantities(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.quantities`."""
        fingertip, target = self._places(physics)
        return {
            "fingertip_position": fingertip,
            "target_position": target,
            "joint_positions": physics.qpos[:, :_ARM],
            "joint_velocities": physics.qvel[:, :_ARM],
        }

    def expressions(self) -> dict[str, str]:
        """See `MujocoV5Task.expressions`."""
        return {
            "fingertip_position": f"env.data.body({_BODIES[0]!r}).xpos",
            "target_position": f"env.data.body({_BODIES[1]!r}).xpos",
            "joint_positions": f"env.data.qpos[:{_ARM}]",
            "joint_velocities": f"env.data.qvel[:{_ARM}]",
        }

    def _places(self, physics: Physics) -> tuple[Tensor, Tensor]:
        ids = body_ids(self.model, _BODIES)
        fingertip, target = physics.data("xpos")[:, ids].unbind(dim=1)
        return fingertip, target

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        fingertip, target = state["fingertip_position"], state["target_position"]
        seen = (
            state["joint_positions"].cos(),
            state["joint_positions"].sin(),
            target[:, :2],
            state["joint_velocities"],
            (fingertip - target)[:, :2],
        )
        return torch.cat(seen, dim=1)

    def start(self, random: Random) -> tuple[Tensor, Tensor]:
        """See `MujocoV5Task.start`."""
        qpos = self.near_pose(random, _NOISE_RAD)
        qpos[:, -2:] = first_accepted(
            lambda: random.uniform(-_REACH_M, _REACH_M, 2),
            lambda goal: goal.norm(dim=1) < _REACH_M,
        )
        qvel = random.uniform(-_VELOCITY_NOISE, _VELOCITY_NOISE, self.model.nv)
        qvel[:, -2:] = 0.0
        return qpos, qvel

    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.terms`."""
        fingertip, target = self._places(moment.physics)
        ctrl = moment.physics.ctrl
        return {
            "reward_dist": -self.settings.reward_dist_weight * (fingertip - target).norm(dim=1),
            "reward_ctrl": -self.settings.reward_control_weight * (ctrl * ctrl).sum(dim=1),
        }

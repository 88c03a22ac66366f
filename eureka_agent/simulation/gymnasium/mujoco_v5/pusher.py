"""Pusher-v5."""

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

_ARM = 7
"""Joints of the arm; two slides of the object and two of the goal follow."""
_LOW_M, _HIGH_M = (-0.3, -0.2), (0.0, 0.2)
"""Where the object starts, relative to the goal along y and x."""
_NEAREST_M = 0.17
"""The object starts further from the goal than this."""
_VELOCITY_NOISE = 0.005
_BODIES = ("tips_arm", "object", "goal")


@dataclass(frozen=True, kw_only=True)
class PusherSettings(Settings):
    """The keyword arguments."""

    xml_file: str = "pusher_v5.xml"
    frame_skip: int = 5
    reward_near_weight: float = 0.5
    reward_dist_weight: float = 1.0
    reward_control_weight: float = 0.1


class Pusher(MujocoV5Task[PusherSettings]):
    """Pusher-v5: an arm of seven joints, a cylinder on a table, and a goal for it."""

    environment = "Pusher-v5"
    description = "push the cylinder to the goal with the arm's fingertip"
    build_notes = (
        "z is up, and there is no gravity. An arm with shoulder (3), elbow, forearm and wrist (2)"
        " stands at a table; its end is a fork. The cylinder has a radius of 0.05 m and slides on"
        " the table. The goal does not move. The arm starts in its own pose and at rest, the"
        " cylinder 0.17 to 0.36 m from the goal."
    )
    data_fields = ("xpos",)
    BUDGETS = budgets(num_envs=32, horizon=100, quick=500_000, normal=2_000_000, paper=20_000_000)

    @classmethod
    def fits(cls, model: mujoco.MjModel, settings: Settings) -> bool:
        """See `MujocoV5Task.fits`."""
        known = joint_kinds(model) == "h" * _ARM + "ssss" and body_ids(model, _BODIES) is not None
        return super().fits(model, settings) and known

    def variables(self) -> Sequence[StateVariable]:
        """See `MujocoV5Task.variables`."""
        joints = joint_names(self.model, 0)[:_ARM]
        return (
            position("fingertip_position", "position of the arm's fingertip"),
            position("object_position", "position of the cylinder"),
            position("goal_position", "where the cylinder should be", "object_position"),
            joint_positions(joints, "angles of the arm's joints"),
            joint_velocities(joints),
        )

    def quantities(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.quantities`."""
        fingertip, item, goal = self._places(physics)
        return {
            "fingertip_position": fingertip,
            "object_position": item,
            "goal_position": goal,
            "joint_positions": physics.qpos[:, :_ARM],
            "joint_velocities": physics.qvel[:, :_ARM],
        }

    def expressions(self) -> dict[str, str]:
        """See `MujocoV5Task.expressions`."""
        return {
            "fingertip_position": f"env.data.body({_BODIES[0]!r}).xpos",
            "object_position": f"env.data.body({_BODIES[1]!r}).xpos",
            "goal_position": f"env.data.body({_BODIES[2]!r}).xpos",
            "joint_positions": f"env.data.qpos[:{_ARM}]",
            "joint_velocities": f"env.data.qvel[:{_ARM}]",
        }

    def _places(self, physics: Physics) -> tuple[Tensor, Tensor, Tensor]:
        ids = body_ids(self.model, _BODIES)
        fingertip, item, goal = physics.data("xpos")[:, ids].unbind(dim=1)
        return fingertip, item, goal

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        seen = (
            state["joint_positions"],
            state["joint_velocities"],
            state["fingertip_position"],
            state["object_position"],
            state["goal_position"],
        )
        return torch.cat(seen, dim=1)

    def start(self, random: Random) -> tuple[Tensor, Tensor]:
        """See `MujocoV5Task.start`."""
        qpos = self.near_pose(random, 0.0)
        low, high = torch.tensor(_LOW_M), torch.tensor(_HIGH_M)
        qpos[:, -4:-2] = first_accepted(
            lambda: low + (high - low) * random.uniform(0.0, 1.0, 2),
            lambda place: place.norm(dim=1) > _NEAREST_M,
        )
        qpos[:, -2:] = 0.0
        qvel = random.uniform(-_VELOCITY_NOISE, _VELOCITY_NOISE, self.model.nv)
        qvel[:, -4:] = 0.0
        return qpos, qvel

    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.terms`."""
        fingertip, item, goal = self._places(moment.physics)
        settings, ctrl = self.settings, moment.physics.ctrl
        return {
            "reward_near": -settings.reward_near_weight * (item - fingertip).norm(dim=1),
            "reward_dist": -settings.reward_dist_weight * (item - goal).norm(dim=1),
            "reward_ctrl": -settings.reward_control_weight * (ctrl * ctrl).sum(dim=1),
        }

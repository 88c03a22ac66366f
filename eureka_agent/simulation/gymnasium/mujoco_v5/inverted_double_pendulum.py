"""InvertedDoublePendulum-v5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
)
from eureka_agent.simulation.physics import EpisodeState, Physics, Random
from eureka_agent.tasks.task import State, StateVariable

_LOWEST_TIP_M = 1.0
_FASTEST = 10.0
"""Velocities and the force at the end of the rail are clipped to this in the observation."""


@dataclass(frozen=True, kw_only=True)
class InvertedDoublePendulumSettings(Settings):
    """The keyword arguments."""

    xml_file: str = "inverted_double_pendulum.xml"
    frame_skip: int = 5
    healthy_reward: float = 10.0
    reset_noise_scale: float = 0.1


class InvertedDoublePendulum(MujocoV5Task[InvertedDoublePendulumSettings]):
    """InvertedDoublePendulum-v5: two poles, one on the other, on a cart on a rail."""

    environment = "InvertedDoublePendulum-v5"
    description = "keep the two poles on the cart upright"
    build_notes = (
        "The cart moves on a rail along x, from -1 to 1 m; a pole of 0.6 m turns on it about y, and"
        " a second one of 0.6 m on the end of the first. Upright, the tip is 1.2 m high. It starts"
        " near that pose."
    )
    data_fields = ("xpos", "site_xpos", "qfrc_constraint")
    BUDGETS = budgets(num_envs=16, horizon=64, quick=200_000, normal=500_000, paper=10_000_000)

    @classmethod
    def fits(cls, model: mujoco.MjModel, settings: Settings) -> bool:
        """See `MujocoV5Task.fits`."""
        return super().fits(model, settings) and joint_kinds(model) == "shh" and model.nsite > 0

    @property
    def may_end(self) -> bool:
        """See `MujocoV5Task.may_end`."""
        return True

    def variables(self) -> Sequence[StateVariable]:
        """See `MujocoV5Task.variables`."""
        poles = joint_names(self.model, 1)
        return (
            StateVariable("cart_position", (), "m", "world", "place of the cart along x"),
            StateVariable("cart_velocity", (), "m/s", "world", "velocity of the cart", "speed"),
            joint_positions(
                poles, "angles of the lower pole and of the upper one to it, 0 upright"
            ),
            joint_velocities(poles),
            position("tip_position", "position of the upper pole's end; z is up"),
            StateVariable(
                "rail_end_force",
                (),
                "N",
                "world",
                "force of an end of the rail on the cart, 0 in between",
                "force",
            ),
        )

    def quantities(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.quantities`."""
        return {
            "cart_position": physics.qpos[:, 0],
            "cart_velocity": physics.qvel[:, 0],
            "joint_positions": physics.qpos[:, 1:],
            "joint_velocities": physics.qvel[:, 1:],
            "tip_position": physics.data("site_xpos")[:, 0],
            "rail_end_force": physics.data("qfrc_constraint")[:, 0],
        }

    def expressions(self) -> dict[str, str]:
        """See `MujocoV5Task.expressions`."""
        return {
            "cart_position": "env.data.qpos[0]",
            "cart_velocity": "env.data.qvel[0]",
            "joint_positions": "env.data.qpos[1:]",
            "joint_velocities": "env.data.qvel[1:]",
            "tip_position": "env.data.site_xpos[0]",
            "rail_end_force": "env.data.qfrc_constraint[0]",
        }

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        clipped = (
            state["cart_velocity"][:, None],
            state["joint_velocities"],
            state["rail_end_force"][:, None],
        )
        seen = (
            state["cart_position"][:, None],
            state["joint_positions"].sin(),
            state["joint_positions"].cos(),
            torch.cat(clipped, dim=1).clamp(-_FASTEST, _FASTEST),
        )
        return torch.cat(seen, dim=1)

    def start(self, random: Random) -> tuple[Tensor, Tensor]:
        """See `MujocoV5Task.start`."""
        noise = self.settings.reset_noise_scale
        return self.near_pose(random, noise), random.normal(noise, self.model.nv)

    def causes(self, *measures: Tensor) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes`."""
        (height,) = measures
        return {f"the tip at or below {_LOWEST_TIP_M:g} m": height <= _LOWEST_TIP_M}

    def causes_now(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes_now`."""
        return self.causes(physics.data("site_xpos")[:, 0, 2])

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        return self.causes(state["tip_position"][:, 2])

    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.terms`."""
        x, _, height = moment.physics.data("site_xpos")[:, 0].unbind(dim=1)
        lower, upper = moment.physics.qvel[:, 1:].square().unbind(dim=1)
        return {
            "reward_survive": self.settings.healthy_reward * moment.healthy,
            "distance_penalty": -(0.01 * x.square() + (height - 2.0).square()),
            "velocity_penalty": -(1e-3 * lower + 5e-3 * upper),
        }

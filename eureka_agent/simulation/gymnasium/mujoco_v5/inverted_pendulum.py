"""InvertedPendulum-v5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mujoco
import torch
from torch import Tensor

from eureka_agent.simulation.gymnasium.mujoco_v5.budgets import budgets
from eureka_agent.simulation.gymnasium.mujoco_v5.models import joint_kinds
from eureka_agent.simulation.gymnasium.mujoco_v5.moment import Moment
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Settings
from eureka_agent.simulation.gymnasium.mujoco_v5.task import MujocoV5Task
from eureka_agent.simulation.physics import EpisodeState, Physics, Random
from eureka_agent.tasks.task import State, StateVariable

_LARGEST_ANGLE_RAD = 0.2


@dataclass(frozen=True, kw_only=True)
class InvertedPendulumSettings(Settings):
    """The keyword arguments."""

    xml_file: str = "inverted_pendulum.xml"
    frame_skip: int = 2
    reset_noise_scale: float = 0.01


class InvertedPendulum(MujocoV5Task[InvertedPendulumSettings]):
    """InvertedPendulum-v5: a pole on a cart on a rail."""

    environment = "InvertedPendulum-v5"
    description = "keep the pole on the cart upright"
    build_notes = (
        "The cart moves on a rail along x, from -1 to 1 m; a pole of 0.6 m turns on it about y. It"
        " starts nearly at rest, upright and in the middle."
    )
    data_fields = ("xpos",)
    BUDGETS = budgets(num_envs=16, horizon=64, quick=100_000, normal=300_000, paper=5_000_000)

    @classmethod
    def fits(cls, model: mujoco.MjModel, settings: Settings) -> bool:
        """See `MujocoV5Task.fits`."""
        return super().fits(model, settings) and joint_kinds(model) == "sh"

    @property
    def may_end(self) -> bool:
        """See `MujocoV5Task.may_end`."""
        return True

    def variables(self) -> Sequence[StateVariable]:
        """See `MujocoV5Task.variables`."""
        angle = "angle of the pole, 0 upright, positive towards x"
        return (
            StateVariable("cart_position", (), "m", "world", "place of the cart along x"),
            StateVariable("pole_angle", (), "rad", "world", angle, "angle"),
            StateVariable("cart_velocity", (), "m/s", "world", "velocity of the cart", "speed"),
            StateVariable(
                "pole_angular_velocity", (), "rad/s", "world", "rate of pole_angle", "speed"
            ),
        )

    def quantities(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.quantities`."""
        return {
            "cart_position": physics.qpos[:, 0],
            "pole_angle": physics.qpos[:, 1],
            "cart_velocity": physics.qvel[:, 0],
            "pole_angular_velocity": physics.qvel[:, 1],
        }

    def expressions(self) -> dict[str, str]:
        """See `MujocoV5Task.expressions`."""
        return {
            "cart_position": "env.data.qpos[0]",
            "pole_angle": "env.data.qpos[1]",
            "cart_velocity": "env.data.qvel[0]",
            "pole_angular_velocity": "env.data.qvel[1]",
        }

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        seen = (
            state["cart_position"],
            state["pole_angle"],
            state["cart_velocity"],
            state["pole_angular_velocity"],
        )
        return torch.stack(seen, dim=1)

    def start(self, random: Random) -> tuple[Tensor, Tensor]:
        """See `MujocoV5Task.start`."""
        noise = self.settings.reset_noise_scale
        return self.near_pose(random, noise), random.uniform(-noise, noise, self.model.nv)

    def causes(self, *measures: Tensor) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes`."""
        (angle,) = measures
        fallen = angle.abs() > _LARGEST_ANGLE_RAD
        return {f"the pole leans more than {_LARGEST_ANGLE_RAD} rad": fallen}

    def causes_now(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes_now`."""
        return self.causes(physics.qpos[:, 1])

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        return self.causes(state["pole_angle"])

    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.terms`."""
        return {"reward_survive": moment.healthy}

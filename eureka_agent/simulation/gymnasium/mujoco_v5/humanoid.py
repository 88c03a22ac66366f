"""Humanoid-v5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from eureka_agent.simulation.gymnasium.fitness import FitnessRule
from eureka_agent.simulation.gymnasium.mujoco_v5.body_fields import HumanoidSettings, HumanoidTask
from eureka_agent.simulation.gymnasium.mujoco_v5.budgets import budgets
from eureka_agent.simulation.gymnasium.mujoco_v5.moment import Moment
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Range
from eureka_agent.simulation.physics import Physics
from eureka_agent.tasks.task import State


@dataclass(frozen=True, kw_only=True)
class WalkingHumanoidSettings(HumanoidSettings):
    """The keyword arguments."""

    xml_file: str = "humanoid.xml"
    forward_reward_weight: float = 1.25
    contact_cost_weight: float = 5e-7
    contact_cost_range: Range = (float("-inf"), 10.0)
    healthy_reward: float = 5.0
    terminate_when_unhealthy: bool = True
    healthy_z_range: Range = (1.0, 2.0)


class Humanoid(HumanoidTask[WalkingHumanoidSettings]):
    """Humanoid-v5: a humanoid that starts standing."""

    environment = "Humanoid-v5"
    description = "make the humanoid walk forward, along x, as fast as possible without falling"
    build_notes = (
        "x is forward, y is left, z is up. A humanoid with 17 hinges: abdomen (3), hips (3 each),"
        " knees, shoulders (2 each) and elbows; its feet are balls. It starts upright, the torso"
        " 1.4 m high, close to rest. Actions have another order than joints."
    )
    data_fields = ("xpos", "geom_xpos", "xipos")
    moving = "the robot's centre of mass"
    velocity_names = ("x_velocity", "y_velocity")
    info_names = ("x_position", "y_position", "distance_from_origin")
    BUDGETS = budgets(num_envs=64, horizon=64, quick=1_000_000, normal=5_000_000, paper=50_000_000)

    def __init__(self, settings: WalkingHumanoidSettings, rule: FitnessRule, task_id: str) -> None:
        super().__init__(settings, rule, task_id)
        mass = torch.as_tensor(self.model.body_mass, dtype=torch.float64)
        self._shares = (mass / mass.sum()).float()

    @property
    def may_end(self) -> bool:
        """See `MujocoV5Task.may_end`."""
        return self.settings.terminate_when_unhealthy

    def places(self, physics: Physics) -> Tensor:
        """See `MujocoV5Task.places`: the centre of mass."""
        return torch.einsum("b,nbk->nk", self._shares, physics.data("xipos")[:, :, :2])

    def causes(self, *measures: Tensor) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes`."""
        (height,) = measures
        lowest, highest = self.settings.healthy_z_range
        return {
            f"torso at or below {lowest:g} m": height <= lowest,
            f"torso at or above {highest:g} m": height >= highest,
        }

    def causes_now(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes_now`."""
        return self.causes(physics.qpos[:, 2])

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        return self.causes(state["torso_position"][:, 2])

    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.terms`."""
        settings = self.settings
        impact = self.impact_cost(
            moment.physics, settings.contact_cost_weight, settings.contact_cost_range
        )
        return {
            "reward_survive": settings.healthy_reward * moment.healthy,
            "reward_forward": settings.forward_reward_weight * moment.velocity[:, 0],
            "reward_ctrl": -self.control_cost(moment.physics),
            "reward_contact": -impact,
        }

"""HumanoidStandup-v5."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from eureka_agent.simulation.gymnasium.mujoco_v5.body_fields import HumanoidSettings, HumanoidTask
from eureka_agent.simulation.gymnasium.mujoco_v5.budgets import budgets
from eureka_agent.simulation.gymnasium.mujoco_v5.moment import Moment
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Range


@dataclass(frozen=True, kw_only=True)
class LyingHumanoidSettings(HumanoidSettings):
    """The keyword arguments."""

    xml_file: str = "humanoidstandup.xml"
    uph_cost_weight: float = 1.0
    impact_cost_weight: float = 0.5e-6
    impact_cost_range: Range = (float("-inf"), 10.0)


class HumanoidStandup(HumanoidTask[LyingHumanoidSettings]):
    """HumanoidStandup-v5: a humanoid that starts lying.

    Gymnasium ignores `uph_cost_weight`, and so does this class.
    """

    environment = "HumanoidStandup-v5"
    description = "make the humanoid, which lies on its back, stand up and stay up"
    build_notes = (
        "z is up. A humanoid with 17 hinges: abdomen (3), hips (3 each), knees, shoulders (2 each)"
        " and elbows; its feet are balls. It starts lying along x, the torso 0.105 m high, close to"
        " rest; an upright one has it at about 1.4 m. Actions have another order than joints."
    )
    info_names = ("x_position", "y_position", "z_distance_from_origin")
    constant_term = 1.0
    BUDGETS = budgets(num_envs=64, horizon=64, quick=1_000_000, normal=5_000_000, paper=50_000_000)

    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.terms`."""
        settings, physics = self.settings, moment.physics
        impact = self.impact_cost(physics, settings.impact_cost_weight, settings.impact_cost_range)
        return {
            "reward_linup": physics.qpos[:, 2] / float(self.model.opt.timestep),
            "reward_quadctrl": -self.control_cost(physics),
            "reward_impact": -impact,
        }

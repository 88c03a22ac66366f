"""Ant-v5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mujoco
from torch import Tensor

from eureka_agent.simulation.gymnasium.fitness import FitnessRule
from eureka_agent.simulation.gymnasium.mujoco_v5.budgets import budgets
from eureka_agent.simulation.gymnasium.mujoco_v5.floating import FloatingSettings, FloatingTask
from eureka_agent.simulation.gymnasium.mujoco_v5.moment import Moment
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Range, Settings
from eureka_agent.simulation.physics import Physics, Random
from eureka_agent.tasks.task import State, StateVariable


@dataclass(frozen=True, kw_only=True)
class AntSettings(FloatingSettings):
    """The keyword arguments."""

    xml_file: str = "ant.xml"
    forward_reward_weight: float = 1.0
    ctrl_cost_weight: float = 0.5
    contact_cost_weight: float = 5e-4
    healthy_reward: float = 1.0
    main_body: int | str = 1
    terminate_when_unhealthy: bool = True
    healthy_z_range: Range = (0.2, 1.0)
    contact_force_range: Range = (-1.0, 1.0)
    reset_noise_scale: float = 0.1
    include_cfrc_ext_in_observation: bool = True


class Ant(FloatingTask[AntSettings]):
    """Ant-v5: a torso on four legs, each with a hip and an ankle."""

    environment = "Ant-v5"
    description = "make the four-legged ant run forward, along x, as fast as possible"
    build_notes = (
        "x is forward, z is up. The torso is a ball of radius 0.25 m on four legs. Each leg has a"
        " hip, which swings it sideways, and an ankle, which bends its outer segment of 0.57 m. The"
        " joints hip_1 and ankle_1 are those of the front left leg; 2 is front right, 3 back left,"
        " 4 back right. Actions have another order than joints."
    )
    feet = ("left_ankle_geom", "right_ankle_geom", "third_ankle_geom", "fourth_ankle_geom")
    foot_meaning = "positions of the tips of the legs"
    velocity_names = ("x_velocity", "y_velocity")
    info_names = ("x_position", "y_position", "distance_from_origin")
    BUDGETS = budgets(num_envs=64, horizon=64, quick=1_000_000, normal=3_000_000, paper=50_000_000)

    def __init__(self, settings: AntSettings, rule: FitnessRule, task_id: str) -> None:
        if settings.include_cfrc_ext_in_observation:
            self.observed_fields = ("contact_forces",)
        if settings.include_cfrc_ext_in_observation or settings.contact_cost_weight:
            self.data_fields = (*self.data_fields, "cfrc_ext")
        super().__init__(settings, rule, task_id)
        self._main_body = self.model.body(settings.main_body).id

    @classmethod
    def fits(cls, model: mujoco.MjModel, settings: Settings) -> bool:
        """See `MujocoV5Task.fits`."""
        assert isinstance(settings, AntSettings)
        body = settings.main_body
        names = [model.body(each).name for each in range(model.nbody)]
        known = body in names if isinstance(body, str) else 0 <= body < model.nbody
        return super().fits(model, settings) and known

    @property
    def may_end(self) -> bool:
        """See `MujocoV5Task.may_end`."""
        return self.settings.terminate_when_unhealthy

    def variables(self) -> Sequence[StateVariable]:
        """See `MujocoV5Task.variables`."""
        if not self.settings.include_cfrc_ext_in_observation:
            return super().variables()
        low, high = self.settings.contact_force_range
        wrenches = StateVariable(
            "contact_forces",
            (self.model.nbody - 1, 6),
            "N m, N",
            "world",
            "what contacts exert on each body: the torque about the centre of mass, then the force;"
            f" clipped to [{low:g}, {high:g}]",
            "force",
        )
        return (*super().variables(), wrenches)

    def quantities(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.quantities`."""
        if not self.settings.include_cfrc_ext_in_observation:
            return super().quantities(physics)
        return {**super().quantities(physics), "contact_forces": self._clipped(physics)[:, 1:]}

    def expressions(self) -> dict[str, str]:
        """See `MujocoV5Task.expressions`."""
        low, high = self.settings.contact_force_range
        wrenches = {"contact_forces": f"np.clip(env.data.cfrc_ext, {low!r}, {high!r})[1:]"}
        observed = self.settings.include_cfrc_ext_in_observation
        return {**super().expressions(), **(wrenches if observed else {})}

    def _clipped(self, physics: Physics) -> Tensor:
        """`(num_envs, bodies, 6)`: the contact wrenches, the world's included."""
        low, high = self.settings.contact_force_range
        return physics.data("cfrc_ext").clamp(low, high)

    def foot_places(self, physics: Physics) -> Tensor:
        """See `MujocoV5Task.foot_places`."""
        return self._feet.tips(physics)

    def foot_expressions(self) -> dict[str, str]:
        """See `MujocoV5Task.foot_expressions`."""
        return self._feet.expressions(tips=True)

    def start(self, random: Random) -> tuple[Tensor, Tensor]:
        """See `MujocoV5Task.start`."""
        noise = self.settings.reset_noise_scale
        return self.near_pose(random, noise), random.normal(noise, self.model.nv)

    def places(self, physics: Physics) -> Tensor:
        """See `MujocoV5Task.places`."""
        return physics.data("xpos")[:, self._main_body, :2]

    def causes(self, *measures: Tensor) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes`."""
        (height,) = measures
        lowest, highest = self.settings.healthy_z_range
        return {
            f"torso below {lowest:g} m": height < lowest,
            f"torso above {highest:g} m": height > highest,
        }

    def causes_now(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.causes_now`."""
        return self.causes(physics.qpos[:, 2])

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        return self.causes(state["torso_position"][:, 2])

    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """See `MujocoV5Task.terms`."""
        settings, ctrl = self.settings, moment.physics.ctrl
        terms = {
            "reward_forward": settings.forward_reward_weight * moment.velocity[:, 0],
            "reward_ctrl": -settings.ctrl_cost_weight * (ctrl * ctrl).sum(dim=1),
            "reward_survive": settings.healthy_reward * moment.healthy,
        }
        if settings.contact_cost_weight:
            squares = self._clipped(moment.physics).square().sum(dim=(1, 2))
            terms["reward_contact"] = -settings.contact_cost_weight * squares
        return terms

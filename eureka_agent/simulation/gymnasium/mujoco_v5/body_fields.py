"""What the humanoids observe of MuJoCo's data besides positions and velocities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import mujoco
from torch import Tensor

from eureka_agent.simulation.gymnasium.fitness import FitnessRule
from eureka_agent.simulation.gymnasium.mujoco_v5.floating import FloatingSettings, FloatingTask
from eureka_agent.simulation.gymnasium.mujoco_v5.models import joint_names
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Range
from eureka_agent.simulation.physics import Physics, Random
from eureka_agent.tasks.task import StateVariable

SettingsT = TypeVar("SettingsT", bound="HumanoidSettings")

_FIELDS = {
    "body_inertias": "cinert",
    "body_velocities": "cvel",
    "actuator_forces": "qfrc_actuator",
    "contact_forces": "cfrc_ext",
}
"""Field of `MjData` of each variable, in the order of the observation."""
_FREE = 6
"""Entries of the free joint, which has no actuator."""


@dataclass(frozen=True, kw_only=True)
class HumanoidSettings(FloatingSettings):
    """What both humanoids have."""

    ctrl_cost_weight: float = 0.1
    reset_noise_scale: float = 1e-2
    include_cinert_in_observation: bool = True
    include_cvel_in_observation: bool = True
    include_qfrc_actuator_in_observation: bool = True
    include_cfrc_ext_in_observation: bool = True


class HumanoidTask(FloatingTask[SettingsT]):
    """A humanoid."""

    feet = ("right_foot", "left_foot")

    def __init__(self, settings: SettingsT, rule: FitnessRule, task_id: str) -> None:
        self.observed_fields = tuple(
            name
            for name, field in _FIELDS.items()
            if getattr(settings, f"include_{field}_in_observation")
        )
        observed = [_FIELDS[name] for name in self.observed_fields]
        needed = dict.fromkeys((*self.data_fields, *observed, "cfrc_ext"))
        self.data_fields = tuple(needed)
        super().__init__(settings, rule, task_id)

    def variables(self) -> Sequence[StateVariable]:
        """See `MujocoV5Task.variables`."""
        known = body_variables(self.model)
        return (*super().variables(), *(known[name] for name in self.observed_fields))

    def quantities(self, physics: Physics) -> dict[str, Tensor]:
        """See `MujocoV5Task.quantities`."""
        fields = {name: physics.data(_FIELDS[name]) for name in self.observed_fields}
        skipped = {name: _FREE if name == "actuator_forces" else 1 for name in fields}
        shown = {name: field[:, skipped[name] :] for name, field in fields.items()}
        return {**super().quantities(physics), **shown}

    def start(self, random: Random) -> tuple[Tensor, Tensor]:
        """See `MujocoV5Task.start`."""
        noise = self.settings.reset_noise_scale
        return self.near_pose(random, noise), random.uniform(-noise, noise, self.model.nv)

    def control_cost(self, physics: Physics) -> Tensor:
        """Return `(num_envs,)`: the price of the controls."""
        return self.settings.ctrl_cost_weight * (physics.ctrl * physics.ctrl).sum(dim=1)

    def impact_cost(self, physics: Physics, weight: float, bounds: Range) -> Tensor:
        """Return `(num_envs,)`: the price of contacts, with its bounds."""
        cost = weight * physics.data("cfrc_ext").square().sum(dim=(1, 2))
        return cost.clamp(*bounds)


def body_variables(model: mujoco.MjModel) -> dict[str, StateVariable]:
    """Return the variables of `_FIELDS`; each body has a row, the world has none."""
    bodies = model.nbody - 1
    return {
        "body_inertias": StateVariable(
            "body_inertias",
            (bodies, 10),
            "kg m², kg m, kg",
            "world",
            "of each body about the robot's centre of mass: six entries of the inertia, three of"
            " mass times place, and the mass",
        ),
        "body_velocities": StateVariable(
            "body_velocities",
            (bodies, 6),
            "rad/s, m/s",
            "world",
            "of each body at the robot's centre of mass: angular velocity, then linear velocity",
        ),
        "actuator_forces": StateVariable(
            "actuator_forces",
            (model.nv - _FREE,),
            "N m",
            "-",
            "torques of the actuators on the joints",
            "force",
            elements=joint_names(model, 1),
        ),
        "contact_forces": StateVariable(
            "contact_forces",
            (bodies, 6),
            "N m, N",
            "world",
            "what contacts exert on each body: the torque about the robot's centre of mass, then"
            " the force",
            "force",
        ),
    }

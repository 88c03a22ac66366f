"""The feet of a robot: where they are and what they touch."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import torch
from torch import Tensor

from eureka_agent.simulation.physics import Physics
from eureka_agent.tasks.mjcf import add_contact_sensor
from eureka_agent.tasks.task import StateVariable


def add_foot_sensors(spec: mujoco.MjSpec, geoms: Sequence[str]) -> None:
    """Add a contact sensor for each of the geoms that the model has."""
    for geom in geoms:
        if spec.geom(geom) is not None:
            add_contact_sensor(spec, _sensor(geom), geom, "geom")


class Feet:
    """Geoms of a model that are feet; those that the model lacks are left out."""

    def __init__(self, model: mujoco.MjModel, geoms: Sequence[str]) -> None:
        known = [model.geom(geom).name for geom in range(model.ngeom)]
        self.names = tuple(geom for geom in geoms if geom in known)
        self._geoms = [model.geom(name).id for name in self.names]
        self._bodies = [int(model.geom_bodyid[geom]) for geom in self._geoms]

    def variables(self, meaning: str) -> list[StateVariable]:
        """Return `foot_positions`, of the given meaning, and `foot_contact_forces`."""
        if not self.names:
            return []
        count = len(self.names)
        places = StateVariable(
            "foot_positions",
            (count, 3),
            "m",
            "world",
            f"{meaning}: {', '.join(self.names)}",
            "position",
        )
        forces = StateVariable(
            "foot_contact_forces",
            (count,),
            "N",
            "-",
            "size of the contact force on each foot; 0 in the air",
            "force",
            elements=self.names,
        )
        return [places, forces]

    def middles(self, physics: Physics) -> Tensor:
        """Return `(num_envs, feet, 3)` m: the middles of the geoms."""
        return physics.data("geom_xpos")[:, self._geoms]

    def tips(self, physics: Physics) -> Tensor:
        """Return `(num_envs, feet, 3)` m: the far ends of geoms that start where their body is."""
        return 2.0 * self.middles(physics) - physics.data("xpos")[:, self._bodies]

    def expressions(self, *, tips: bool = False) -> dict[str, str]:
        """Return the two variables as `GymnasiumReading.expressions`; see `tips`."""
        if not self.names:
            return {}
        places = f"env.data.geom_xpos[{self._geoms}]"
        if tips:
            places = f"2.0 * {places} - env.data.xpos[{self._bodies}]"
        forces = ", ".join(f"net_contact_force(env, {name!r})" for name in self.names)
        return {"foot_positions": places, "foot_contact_forces": f"np.array([{forces}])"}

    def contact_forces(self, physics: Physics) -> Tensor:
        """Return `(num_envs, feet)` N: sizes of the net contact forces."""
        forces = [physics.sensor(_sensor(name))[:, :3].norm(dim=1) for name in self.names]
        return torch.stack(forces, dim=1)


def _sensor(geom: str) -> str:
    return f"{geom}_contact"

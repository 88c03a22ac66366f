"""What a reward may read of the MuJoCo model of an environment, by the model's own names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import mujoco

from eureka_agent.simulation.gymnasium.recipe import ModelQuantity, ReadKind
from eureka_agent.simulation.gymnasium.words import identifier, unique
from eureka_agent.tasks.task import QuantityKind, StateVariable

_FEW_BODIES = 12
"""Bodies up to which the positions of all are listed."""
_FEW = 8
"""Sites, sensors and contacts up to which all are listed."""
_MOST_JOINTS = 64
_TOUCHING = ("foot", "feet", "toe", "ankle", "paw", "heel", "finger", "hand", "palm", "grip")
"""Parts of the names of bodies whose contacts matter."""


@dataclass(frozen=True)
class ModelVariable:
    """A variable, how it is read, and whether prompts list it."""

    variable: StateVariable
    quantity: ModelQuantity
    listed: bool


class _OfBody(NamedTuple):
    end: str
    read: ReadKind
    kind: QuantityKind
    size: int
    unit: str
    meaning: str


_OF_BODIES = (
    _OfBody("position", "body_position", "position", 3, "m", "where {} is"),
    _OfBody("velocity", "body_velocity", "linear_velocity", 3, "m/s", "velocity of {}"),
    _OfBody(
        "angular_velocity",
        "body_angular_velocity",
        "angular_velocity",
        3,
        "rad/s",
        "angular velocity of {}",
    ),
    _OfBody(
        "orientation",
        "body_orientation",
        "quaternion_wxyz",
        4,
        "-",
        "orientation of {}: (w, x, y, z)",
    ),
)


def model_variables(model: Any) -> tuple[ModelVariable, ...]:
    """Return the named bodies, joints, sites, sensors and contacts of a model as variables.

    Of bodies, those that stand in the world by joints of their own are listed, and the positions of
    all if there are few; joints are listed as vectors; of the rest what there are few of.
    """
    return (
        *_bodies(model),
        *_joints(model),
        *_contacts(model),
        *_sites(model),
        *_sensors(model),
    )


def _bodies(model: Any) -> Iterator[ModelVariable]:
    named = [(body, identifier(model.body(body).name)) for body in range(1, model.nbody)]
    named = [(body, name) for body, name in named if name]
    for body, name in named:
        root = model.body_parentid[body] == 0 and model.body_jntnum[body] > 0
        few = len(named) <= _FEW_BODIES
        for each in _OF_BODIES:
            variable = StateVariable(
                f"{name}_{each.end}",
                (each.size,),
                each.unit,
                "world",
                each.meaning.format(f"the body {name}"),
                each.kind,
            )
            quantity = ModelQuantity(each.read, (body,), each.size)
            yield ModelVariable(variable, quantity, root or (few and each.end == "position"))


def _joints(model: Any) -> Iterator[ModelVariable]:
    """Yield positions and velocities of all hinges and slides, as two vectors."""
    hinge, slide = int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)
    kinds = [int(kind) for kind in model.jnt_type]
    joints = tuple(joint for joint, kind in enumerate(kinds) if kind in (hinge, slide))
    if not joints:
        return
    hinges = [kinds[joint] == hinge for joint in joints]
    unit, per_second = "rad, of slides m", "rad/s, of slides m/s"
    if all(hinges):
        unit, per_second = "rad", "rad/s"
    elif not any(hinges):
        unit, per_second = "m", "m/s"
    names = unique(identifier(model.joint(j).name) or f"joint_{j}" for j in joints)
    shape, listed = (len(joints),), len(joints) <= _MOST_JOINTS
    positions = StateVariable(
        "joint_positions", shape, unit, "-", "positions of the joints", "joint_positions", elements=names
    )
    velocities = StateVariable(
        "joint_velocities",
        shape,
        per_second,
        "-",
        "velocities of the joints",
        "joint_velocities",
        elements=names,
    )
    size = len(joints)
    yield ModelVariable(positions, ModelQuantity("joint_positions", joints, size), listed)
    yield ModelVariable(velocities, ModelQuantity("joint_velocities", joints, size), listed)


def _contacts(model: Any) -> Iterator[ModelVariable]:
    """Yield a flag for each body whose name, or that of one of its geoms, is like a foot's."""
    touching: dict[str, int] = {}
    for body in range(1, model.nbody):
        own = [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] == body]
        names = [model.body(body).name, *(model.geom(geom).name for geom in own)]
        found = [name for name in names if any(part in name.lower() for part in _TOUCHING)]
        if own and found and (name := identifier(found[0])):
            touching.setdefault(name, body)
    for name, body in touching.items():
        meaning = f"1 if {name} touches anything, else 0"
        variable = StateVariable(f"{name}_contact", (), "-", "-", meaning, "flag")
        quantity = ModelQuantity("body_contact", (body,), 1)
        yield ModelVariable(variable, quantity, len(touching) <= _FEW)


def _sites(model: Any) -> Iterator[ModelVariable]:
    for site in range(model.nsite):
        name = identifier(model.site(site).name)
        if name:
            meaning = f"where the site {name} is"
            end = "" if name.endswith("_site") else "_site"
            variable = StateVariable(
                f"{name}{end}_position", (3,), "m", "world", meaning, "position"
            )
            quantity = ModelQuantity("site_position", (site,), 3)
            yield ModelVariable(variable, quantity, model.nsite <= _FEW)


def _sensors(model: Any) -> Iterator[ModelVariable]:
    for sensor in range(model.nsensor):
        name = identifier(model.sensor(sensor).name)
        if name:
            size = int(model.sensor_dim[sensor])
            shape = () if size == 1 else (size,)
            variable = StateVariable(f"{name}_sensor", shape, "-", "-", f"the sensor {name}")
            quantity = ModelQuantity("sensor", (sensor,), size)
            yield ModelVariable(variable, quantity, model.nsensor <= _FEW)

"""The state of a new task: what rewards may read, made from the elements of a robot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import mujoco

from eureka_agent.authoring.anatomy import Anatomy
from eureka_agent.authoring.identifiers import Identifiers
from eureka_agent.authoring.tips import Tip
from eureka_agent.tasks.task import QuantityKind, StateVariable

_OBJ = mujoco.mjtObj
_SENSOR = mujoco.mjtSensor
_POSE = ("_position", "_quaternion", "_velocity", "_angular_velocity")
_FORCE = "_contact_force"
_MOST_TIPS = 6
_MOST_SITES = 4
_MOST_OBJECTS = 4
_MOST_UNLISTED = 40
_NET_FORCE = 3
_CONTACT_FORCE = 1 << int(mujoco.mjtConDataField.mjCONDATA_FORCE)


Source = Literal["vector", "number", "contact", "code"]
"""A sensor of the variable's name as it is, its only entry, its size; or code."""


@dataclass(frozen=True)
class Variable:
    """A state variable, where its value comes from, and what of it the policy sees."""

    spec: StateVariable
    source: Source
    code: str = ""
    """For the source `code`: an expression of `physics`."""
    seen: str = ""
    """An expression of `state`, `(num_envs, n)`; empty if the policy does not see it."""
    seen_size: int = 0
    is_listed: bool = True
    elements: str = ""
    """The constant of the task's file that names its entries."""


class SensorWriter:
    """Adds the sensors that the state is read from, each under the name of its variable."""

    def __init__(self, spec: mujoco.MjSpec, names: Identifiers) -> None:
        self._spec = spec
        self.names = names

    def frame(
        self, name: str, kind: str, element: str, words: str, quantities: Sequence[str] = _POSE
    ) -> list[Variable]:
        """Add sensors of a body's or site's frame in the world; return one variable for each.

        Args:
            name: The Python name of the element.
            kind: `body` or `site`.
            element: Its name in the model.
            words: What it is, for the meanings.
            quantities: Which of `_position`, `_quaternion`, `_velocity`, `_angular_velocity`.
        """
        found = []
        for ending in quantities:
            sensor, size, unit, meaning, quantity = _FRAME[ending]
            self._spec.add_sensor(
                name=name + ending,
                type=sensor,
                objtype=_OBJ.mjOBJ_XBODY if kind == "body" else _OBJ.mjOBJ_SITE,
                objname=element,
            )
            spec = StateVariable(
                name + ending, (size,), unit, "world", f"{meaning} of {words}", quantity
            )
            found.append(read_sensor(spec))
        return found

    def contact_force(self, name: str, body: str, words: str) -> Variable:
        """Add a sensor of the net force of all contacts of a body."""
        self._spec.add_sensor(
            name=name + _FORCE,
            type=_SENSOR.mjSENS_CONTACT,
            objtype=_OBJ.mjOBJ_BODY,
            objname=body,
            intprm=[_CONTACT_FORCE, _NET_FORCE, 1],
        )
        spec = StateVariable(
            name + _FORCE,
            (),
            "N",
            "-",
            f"size of the force of all contacts of {words}; 0 without contact",
            "force",
        )
        return Variable(spec, "contact")


def read_sensor(spec: StateVariable) -> Variable:
    """Return the variable that is the sensor of the same name."""
    whole = f'state["{spec.name}"]'
    if not spec.shape:
        return Variable(spec, "number", seen=f"{whole}[:, None]", seen_size=1)
    return Variable(spec, "vector", seen=whole, seen_size=spec.shape[0])


def base_variables(
    writer: SensorWriter, model: mujoco.MjModel, anatomy: Anatomy
) -> tuple[str, list[Variable]]:
    """Return the base's Python name, and its variables; an empty name for a fixed robot."""
    if anatomy.base is None:
        return "", []
    body = model.body(anatomy.base.body).name
    name = writer.names.of(body, "base", (*_POSE, _FORCE))
    words = f"the {name}, the robot's base"
    position, *others = writer.frame(name, "body", body, words)
    height = f'state["{position.spec.name}"][:, 2:]'
    position = replace(position, seen=height, seen_size=1)
    force = writer.contact_force(name, body, f"the {name}")
    return name, [position, *others, force]


def joint_variables(
    model: mujoco.MjModel, anatomy: Anatomy, names: Identifiers
) -> list[Variable]:
    """Return positions and velocities of hinges, slides and ball joints."""
    found = []
    for word, unit, joints in (("joint", "rad", anatomy.hinges), ("slider", "m", anatomy.slides)):
        if joints:
            found += _axis_variables(word, unit, len(joints))
    for joint in anatomy.balls:
        name = names.of(model.joint(joint).name, "ball_joint", ("_quaternion", "_angular_velocity"))
        found += _ball_variables(model, joint, name)
    return found


def tip_variables(
    writer: SensorWriter, model: mujoco.MjModel, tips: Sequence[Tip], *, fixed: bool
) -> tuple[list[str], list[Variable]]:
    """Return the Python names of a robot's ends, and their variables.

    Those of a fixed robot have velocities and are part of the observation: it works with them.
    """
    names, found = [], []
    for index, tip in enumerate(tips):
        body = model.body(tip.body).name
        own = model.site(tip.site).name if tip.site is not None else ""
        name = writer.names.of(own or body, "tip", ("_position", "_velocity", _FORCE))
        site = own or f"{name}_tip"
        words = f"the end of the robot at the {name}" if not own else f"the site {name}"
        names.append(name)
        quantities = ("_position", "_velocity") if fixed else ("_position",)
        pose = writer.frame(name, "site", site, words, quantities)
        if index >= _MOST_TIPS:
            found += [_unlisted(each) for each in pose]
            continue
        found += pose if fixed else [replace(each, seen="", seen_size=0) for each in pose]
        if tip.touching is not None:
            touching = model.body(tip.touching).name
            found.append(writer.contact_force(name, touching, f"the body of the {name}"))
    return names, found


def site_variables(
    writer: SensorWriter, model: mujoco.MjModel, tips: Sequence[Tip]
) -> list[Variable]:
    """Return the positions of the named sites that move and mark no end of the robot."""
    marked = {tip.site for tip in tips}
    touched = {
        int(model.sensor_objid[s])
        for s in range(model.nsensor)
        if model.sensor_type[s] == int(_SENSOR.mjSENS_TOUCH)
    }
    found: list[Variable] = []
    for site in range(model.nsite):
        element = model.site(site).name
        moves = model.body_weldid[model.site_bodyid[site]] != 0
        if not element or not moves or site in marked | touched:
            continue
        name = writer.names.of(element, "site", ("_position",))
        (position,) = writer.frame(name, "site", element, f"the site {name}", ("_position",))
        position = replace(position, seen="", seen_size=0)
        found.append(position if len(found) < _MOST_SITES else _unlisted(position))
    return found[:_MOST_UNLISTED]


def object_variables(
    writer: SensorWriter, model: mujoco.MjModel, anatomy: Anatomy
) -> list[Variable]:
    """Return the poses and velocities of bodies that move freely and are not the robot."""
    found = []
    for index, body in enumerate(anatomy.objects):
        element = model.body(body).name
        name = writer.names.of(element, "object", _POSE)
        pose = writer.frame(name, "body", element, f"the {name}, which moves freely")
        found += pose if index < _MOST_OBJECTS else [_unlisted(each) for each in pose]
    return found


def body_variables(
    writer: SensorWriter, model: mujoco.MjModel, described: Sequence[int]
) -> list[Variable]:
    """Return the positions of the other named bodies that move, all of them unlisted."""
    found = []
    for body in range(1, model.nbody):
        element = model.body(body).name
        if not element or model.body_weldid[body] == 0 or body in described:
            continue
        if len(found) == _MOST_UNLISTED:
            break
        name = writer.names.of(element, "body", ("_position",))
        (position,) = writer.frame(name, "body", element, f"the body {name}", ("_position",))
        found.append(_unlisted(position))
    return found


def _axis_variables(word: str, unit: str, count: int) -> list[Variable]:
    kinds: tuple[tuple[str, str, str, QuantityKind], ...] = (
        ("positions", "qpos", unit, "joint_positions"),
        ("velocities", "qvel", f"{unit}/s", "joint_velocities"),
    )
    found = []
    for quantity, array, own_unit, kind in kinds:
        name = f"{word}_{quantity}"
        spec = StateVariable(
            name, (count,), own_unit, "-", f"{quantity} of the {word}s", kind
        )
        code = f"physics.{array}[:, {word.upper()}_{array.upper()}]"
        elements = f"{word.upper()}S"
        found.append(
            Variable(spec, "code", code, f'state["{name}"]', count, elements=elements)
        )
    return found


def _ball_variables(model: mujoco.MjModel, joint: int, name: str) -> list[Variable]:
    first, speed = int(model.jnt_qposadr[joint]), int(model.jnt_dofadr[joint])
    orientation = StateVariable(
        f"{name}_quaternion",
        (4,),
        "-",
        "the joint's parent",
        f"orientation of the ball joint {name}",
        "quaternion_wxyz",
    )
    velocity = StateVariable(
        f"{name}_angular_velocity",
        (3,),
        "rad/s",
        "the joint's child",
        f"angular velocity of the ball joint {name}",
        "angular_velocity",
    )
    return [
        Variable(
            orientation,
            "code",
            f"physics.qpos[:, {first} : {first + 4}]",
            f'state["{orientation.name}"]',
            4,
        ),
        Variable(
            velocity,
            "code",
            f"physics.qvel[:, {speed} : {speed + 3}]",
            f'state["{velocity.name}"]',
            3,
        ),
    ]


def _unlisted(variable: Variable) -> Variable:
    return replace(variable, is_listed=False, seen="", seen_size=0)


_FRAME: dict[str, tuple[mujoco.mjtSensor, int, str, str, QuantityKind]] = {
    "_position": (_SENSOR.mjSENS_FRAMEPOS, 3, "m", "position", "position"),
    "_quaternion": (
        _SENSOR.mjSENS_FRAMEQUAT,
        4,
        "-",
        "orientation (w, x, y, z)",
        "quaternion_wxyz",
    ),
    "_velocity": (_SENSOR.mjSENS_FRAMELINVEL, 3, "m/s", "linear velocity", "linear_velocity"),
    "_angular_velocity": (
        _SENSOR.mjSENS_FRAMEANGVEL,
        3,
        "rad/s",
        "angular velocity",
        "angular_velocity",
    ),
}

"""The state of a new task: what rewards may read, made from the elements of a robot."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

import mujoco

from eureka_agent.authoring.robots.anatomy import Anatomy
from eureka_agent.authoring.robots.identifiers import Identifiers
from eureka_agent.authoring.robots.sensor_writer import CONTACT_FORCE, POSE, SensorWriter, Variable
from eureka_agent.authoring.robots.tips import Tip
from eureka_agent.tasks.task import QuantityKind, StateVariable

_MOST_TIPS = 6
_MOST_SITES = 4
_MOST_OBJECTS = 4
_MOST_UNLISTED = 40
_TOUCH = int(mujoco.mjtSensor.mjSENS_TOUCH)


def base_variables(
    writer: SensorWriter, model: mujoco.MjModel, anatomy: Anatomy
) -> tuple[str, list[Variable]]:
    """Return the base's Python name, and its variables; an empty name for a fixed robot."""
    if anatomy.base is None:
        return "", []
    body = model.body(anatomy.base.body).name
    name = writer.names.of(body, "base", (*POSE, CONTACT_FORCE))
    words = f"the {name}, the robot's base"
    position, *others = writer.frame(name, "body", body, words)
    height = f'state["{position.spec.name}"][:, 2:]'
    position = replace(position, seen=height, seen_size=1)
    force = writer.contact_force(name, body, f"the {name}")
    return name, [position, *others, force]


def joint_variables(model: mujoco.MjModel, anatomy: Anatomy, names: Identifiers) -> list[Variable]:
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
    writer: SensorWriter,
    model: mujoco.MjModel,
    tips: Sequence[Tip],
    sites: Sequence[str],
    *,
    fixed: bool,
) -> tuple[list[str], list[Variable]]:
    """Return the Python names of a robot's ends, and their variables.

    Those of a fixed robot have velocities and are part of the observation: it works with them.
    """
    names, found = [], []
    for index, (tip, site) in enumerate(zip(tips, sites, strict=True)):
        marked = tip.site is not None
        element = site if marked else model.body(tip.body).name
        name = writer.names.of(element, "tip", ("_position", "_velocity", CONTACT_FORCE))
        words = f"the site {name}" if marked else f"the end of the {name}"
        names.append(name)
        quantities = ("_position", "_velocity") if fixed else ("_position",)
        pose = writer.frame(name, "site", site, words, quantities)
        if index >= _MOST_TIPS:
            found += [_unlisted(each) for each in pose]
            continue
        found += pose if fixed else [replace(each, seen="", seen_size=0) for each in pose]
        if tip.touching is not None:
            touching = model.body(tip.touching).name
            found.append(writer.contact_force(name, touching, f"the {name}"))
    return names, found


def site_variables(
    writer: SensorWriter, model: mujoco.MjModel, ends: Sequence[str]
) -> list[Variable]:
    """Return the positions of the named sites that move and are not among those of the ends."""
    touched = {
        int(model.sensor_objid[s]) for s in range(model.nsensor) if model.sensor_type[s] == _TOUCH
    }
    found: list[Variable] = []
    for site in range(model.nsite):
        element = model.site(site).name
        moves = model.body_weldid[model.site_bodyid[site]] != 0
        if not element or not moves or element in ends or site in touched:
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
        name = writer.names.of(element, "object", POSE)
        pose = writer.frame(name, "body", element, f"the {name}, which moves freely")
        found += pose if index < _MOST_OBJECTS else [_unlisted(each) for each in pose]
    return found


def body_variables(
    writer: SensorWriter, model: mujoco.MjModel, described: Set[int]
) -> list[Variable]:
    """Return the positions of the other named bodies that move, all of them unlisted."""
    found: list[Variable] = []
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
        spec = StateVariable(name, (count,), own_unit, "-", f"{quantity} of the {word}s", kind)
        code = f"physics.{array}[:, {word.upper()}_{array.upper()}]"
        elements = f"{word.upper()}S"
        found.append(Variable(spec, "code", code, f'state["{name}"]', count, elements=elements))
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
            f"physics.qpos[:, {first}:{first + 4}]",
            f'state["{orientation.name}"]',
            4,
        ),
        Variable(
            velocity,
            "code",
            f"physics.qvel[:, {speed}:{speed + 3}]",
            f'state["{velocity.name}"]',
            3,
        ),
    ]


def _unlisted(variable: Variable) -> Variable:
    return replace(variable, is_listed=False, seen="", seen_size=0)

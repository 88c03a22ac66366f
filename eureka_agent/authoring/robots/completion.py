"""Complete a robot's scene: motors for a URDF, a ground to stand on, names for bodies."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from eureka_agent.authoring.robots.anatomy import (
    Anatomy,
    at_start,
    has_ground,
    lowest_point,
    start_key,
)
from eureka_agent.authoring.robots.efforts import estimated_effort
from eureka_agent.errors import RobotFileError

_CLEARANCE_M = 0.005
_SUNK_M = 0.02
"""How deep a robot may start in its own ground."""


def make_floating(spec: mujoco.MjSpec) -> str:
    """Let a URDF's root link move freely; return what was done. Raises RobotFileError."""
    roots = spec.worldbody.bodies
    if len(roots) != 1:
        raise RobotFileError(
            f"--floating-base needs a URDF with one root link, but it has {len(roots)}: give the"
            ' robot a <joint type="floating"> of its own.'
        )
    if any(joint.type == mujoco.mjtJoint.mjJNT_FREE for joint in roots[0].joints):
        return "The base is free already, as the file says."
    roots[0].add_freejoint()
    return "The base moves freely (--floating-base)."


def add_motors(spec: mujoco.MjSpec, model: mujoco.MjModel, anatomy: Anatomy) -> list[str]:
    """Add a motor to each joint of a URDF that follows no other joint.

    Args:
        spec: The robot; the motors are added to it.
        model: The robot, compiled.
        anatomy: What it consists of.

    Returns:
        The joints whose effort limit is an estimate, by name.
    """
    estimated = []
    following = _following(model)
    for joint in (*anatomy.hinges, *anatomy.slides):
        name = model.joint(joint).name
        if joint in following:
            continue
        effort = float(np.abs(model.jnt_actfrcrange[joint]).max())
        if not model.jnt_actfrclimited[joint] or effort == 0.0:
            effort = estimated_effort(model, anatomy, joint)
            estimated.append(name)
        spec.add_actuator(
            name=name,
            target=name,
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            ctrlrange=[-effort, effort],
            ctrllimited=True,
        )
    return estimated


def exclude_neighbours(spec: mujoco.MjSpec, model: mujoco.MjModel) -> bool:
    """Ignore contacts of the fixed links of a URDF with the links that move on them.

    MuJoCo ignores contacts of a link with the one that it moves on, but not if that one is fixed to
    the world. Links of a URDF often overlap at their joint, which would block it.

    Returns:
        Whether there are such links.
    """
    weld = [int(each) for each in model.body_weldid]
    solid = [body for body in range(1, model.nbody) if model.body_geomnum[body]]
    fixed = [body for body in solid if weld[body] == 0]
    on_fixed = [
        body
        for body in solid
        if weld[body] != 0 and weld[int(model.body_parentid[weld[body]])] == 0
    ]
    for first in fixed:
        for second in on_fixed:
            spec.add_exclude(bodyname1=model.body(first).name, bodyname2=model.body(second).name)
    return bool(fixed and on_fixed)


def add_ground(
    spec: mujoco.MjSpec, model: mujoco.MjModel, anatomy: Anatomy, *, is_urdf: bool
) -> list[str]:
    """Add a ground and light where they are missing, and put a floating robot onto the ground.

    Returns what was done, in sentences.
    """
    falls = anatomy.base is not None and anatomy.base.falls
    if has_ground(model) or not (falls or is_urdf):
        return []
    lowest = lowest_point(model, at_start(model), moving=falls)
    height = 0.0 if falls or lowest is None else min(0.0, round(lowest - _CLEARANCE_M, 3))
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0.0, 0.0, 0.05], pos=[0.0, 0.0, height]
    )
    spec.worldbody.add_light(pos=[0.0, 0.0, 3.0], dir=[0.0, 0.0, -1.0])
    said = [f"The file has no ground: one was added at a height of {height:g} m."]
    if falls and lowest is not None and start_key(model) is None:
        lift = round(_CLEARANCE_M - lowest, 3)
        body = spec.bodies[anatomy.root]
        body.pos = [body.pos[0], body.pos[1], body.pos[2] + lift]
        said.append(
            f"The robot was moved by {lift:g} m in height, so that it starts on the ground."
        )
    return said


def sunk(model: mujoco.MjModel, anatomy: Anatomy) -> float:
    """Return how deep (m) a robot starts in the ground at z = 0; 0 if it does not."""
    if anatomy.base is None or not anatomy.base.falls:
        return 0.0
    lowest = lowest_point(model, at_start(model), moving=True)
    return -lowest if lowest is not None and lowest < -_SUNK_M else 0.0


def name_bodies(spec: mujoco.MjSpec, bodies: Sequence[int], otherwise: str) -> None:
    """Name those of the bodies that have no name, so that sensors can refer to them."""
    taken = {body.name for body in spec.bodies}
    for index in bodies:
        if spec.bodies[index].name:
            continue
        spec.bodies[index].name = unused_name(otherwise, taken)


def unused_name(name: str, taken: set[str]) -> str:
    """Return a name that is not in `taken`, with a number if need be, and add it there."""
    number = 1
    found = name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found


def _following(model: mujoco.MjModel) -> set[int]:
    """Return the joints that follow another one (`<mimic>`)."""
    return {
        int(model.eq_obj1id[e])
        for e in range(model.neq)
        if model.eq_type[e] == mujoco.mjtEq.mjEQ_JOINT and model.eq_obj2id[e] >= 0
    }

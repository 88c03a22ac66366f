"""What a compiled robot consists of: its base, joints, loose objects and ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import mujoco
import numpy as np
from numpy.typing import NDArray

BaseKind = Literal["free", "planar"]
_FREE = int(mujoco.mjtJoint.mjJNT_FREE)
_BALL = int(mujoco.mjtJoint.mjJNT_BALL)
_SLIDE = int(mujoco.mjtJoint.mjJNT_SLIDE)
_PREFERRED_STARTS = ("home", "start", "stand", "init", "default")
_UPWARD = 0.5
"""A slide whose axis has at least this share of z moves the base up and down."""


@dataclass(frozen=True)
class Base:
    """The body of a robot that is not fixed to the ground."""

    body: int
    kind: BaseKind
    """`planar`: it slides on joints without actuators, as Gymnasium's hopper does."""
    falls: bool
    """Whether it can move down."""


@dataclass(frozen=True)
class Anatomy:
    """Numbers of the elements that a task is made from, in the model's order."""

    base: Base | None
    """None: the robot is fixed to the ground."""
    hinges: tuple[int, ...]
    """Joints, without those of a planar base."""
    slides: tuple[int, ...]
    balls: tuple[int, ...]
    objects: tuple[int, ...]
    """Bodies that move freely and are not the robot."""
    root: int
    """The body under which the robot's actuators act."""
    actuated: frozenset[int]
    """Joints that an actuator moves."""


def anatomy_of(model: mujoco.MjModel) -> Anatomy:
    """Return what a robot consists of."""
    actuated = _actuated_joints(model)
    root = _root_of(model, actuated)
    base = _base_of(model, root, actuated)
    own = set(joints_of(model, base.body)) if base is not None else set()
    free_roots = [int(model.jnt_bodyid[j]) for j in range(model.njnt) if model.jnt_type[j] == _FREE]
    others = [j for j in range(model.njnt) if j not in own and model.jnt_type[j] != _FREE]
    kinds = {j: int(model.jnt_type[j]) for j in others}
    return Anatomy(
        base=base,
        hinges=tuple(j for j in others if kinds[j] not in (_SLIDE, _BALL)),
        slides=tuple(j for j in others if kinds[j] == _SLIDE),
        balls=tuple(j for j in others if kinds[j] == _BALL),
        objects=tuple(b for b in free_roots if base is None or b != base.body),
        root=root,
        actuated=frozenset(actuated),
    )


def joints_of(model: mujoco.MjModel, body: int) -> range:
    """Return the joints of a body."""
    first = int(model.body_jntadr[body])
    return range(first, first + int(model.body_jntnum[body]))


def start_key(model: mujoco.MjModel) -> int | None:
    """Return the keyframe that episodes start from; None if there is none."""
    names = [model.key(k).name for k in range(model.nkey)]
    for name in _PREFERRED_STARTS:
        if name in names:
            return names.index(name)
    return 0 if names else None


def at_start(model: mujoco.MjModel) -> mujoco.MjData:
    """Return the model's data in the initial state, with all positions and contacts computed."""
    data = mujoco.MjData(model)
    key = start_key(model)
    if key is not None:
        mujoco.mj_resetDataKeyframe(model, data, key)
    mujoco.mj_forward(model, data)
    return data


def touching_geoms(data: mujoco.MjData) -> set[tuple[int, int]]:
    """Return the pairs of geoms that touch."""
    return {(int(first), int(second)) for first, second in data.contact.geom[: data.ncon]}


def lowest_point(model: mujoco.MjModel, data: mujoco.MjData, *, moving: bool) -> float | None:
    """Return the least z (m) of the geoms that can collide, planes excluded; None without any.

    With `moving` only the geoms of bodies that can move count.
    """
    heights = []
    for g in range(model.ngeom):
        solid = model.geom_contype[g] or model.geom_conaffinity[g]
        static = model.body_weldid[model.geom_bodyid[g]] == 0
        if solid and not (moving and static) and not _is_ground(model, g):
            heights.append(_least_z(model, data, g))
    return min(heights, default=None)


def has_ground(model: mujoco.MjModel) -> bool:
    """Whether a plane or a height field is fixed to the world."""
    return any(
        _is_ground(model, g) and model.body_weldid[model.geom_bodyid[g]] == 0
        for g in range(model.ngeom)
    )


def _is_ground(model: mujoco.MjModel, geom: int) -> bool:
    kinds = (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_HFIELD)
    return int(model.geom_type[geom]) in [int(kind) for kind in kinds]


def _least_z(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> float:
    z = float(data.geom_xpos[geom, 2])
    row: NDArray[np.float64] = data.geom_xmat[geom].reshape(3, 3)[2]
    size = model.geom_size[geom]
    kind = int(model.geom_type[geom])
    if kind == int(mujoco.mjtGeom.mjGEOM_SPHERE):
        return z - float(size[0])
    if kind == int(mujoco.mjtGeom.mjGEOM_CAPSULE):
        return z - abs(float(row[2] * size[1])) - float(size[0])
    centre, half = model.geom_aabb[geom, :3], model.geom_aabb[geom, 3:]
    return z + float(row @ centre) - float(np.abs(row) @ half)


def _actuated_joints(model: mujoco.MjModel) -> set[int]:
    """Return the joints that some actuator moves, whichever transmission it has."""
    data = at_start(model)
    moment = np.zeros((model.nu, model.nv))
    mujoco.mju_sparse2dense(
        moment, data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind
    )
    return {int(model.dof_jntid[dof]) for dof in np.flatnonzero(np.abs(moment).sum(axis=0))}


def _root_of(model: mujoco.MjModel, actuated: set[int]) -> int:
    """Return the child of the world under which most of the actuated joints are."""
    roots = [int(model.body_rootid[model.jnt_bodyid[j]]) for j in sorted(actuated)]
    if not roots:
        roots = [int(model.body_rootid[model.jnt_bodyid[0]])]
    return max(dict.fromkeys(roots), key=roots.count)


def _base_of(model: mujoco.MjModel, root: int, actuated: set[int]) -> Base | None:
    joints = joints_of(model, root)
    types = [int(model.jnt_type[j]) for j in joints]
    if _FREE in types:
        return Base(root, "free", falls=True)
    if _SLIDE not in types or actuated & set(joints):
        return None
    slides = [j for j in joints if model.jnt_type[j] == _SLIDE]
    return Base(root, "planar", any(abs(model.jnt_axis[j, 2]) > _UPWARD for j in slides))

"""Quantities of a MuJoCo model in an environment of Gymnasium.

The module needs numpy and mujoco alone: `eureka-agent export --format gymnasium` copies it into the
files that it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import mujoco
import numpy as np

_FORWARDED: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def forwarded(env: Any) -> Any:
    """Return MuJoCo's data of an environment's state, with all that follows from the state.

    After a step, the environment's own data has positions of bodies, sensors and contacts from
    before the last physics step. It stays as it is, so that later steps do not change.
    """
    if env not in _FORWARDED:
        _FORWARDED[env] = mujoco.MjData(env.model)
    data = _FORWARDED[env]
    kind = mujoco.mjtState.mjSTATE_INTEGRATION
    state = np.empty(mujoco.mj_stateSize(env.model, kind))
    mujoco.mj_getState(env.model, env.data, state, kind)
    mujoco.mj_setState(env.model, data, state, kind)
    mujoco.mj_forward(env.model, data)
    return data


def linear_velocity(data: Any, body: str | int) -> Any:
    """Return the velocity `(3,)` of a body's frame in the world, in m/s."""
    return _velocity(data, body)[3:]


def angular_velocity(data: Any, body: str | int) -> Any:
    """Return the angular velocity `(3,)` of a body in the world, in rad/s."""
    return _velocity(data, body)[:3]


def touches(data: Any, bodies: Sequence[int]) -> float:
    """Return 1 if one of the bodies touches anything, else 0."""
    touching = data.model.geom_bodyid[data.contact.geom[: data.ncon]]
    return float(np.isin(touching, bodies).any())


def contact_force(env: Any, body: str) -> float:
    """Return the sum of the normal contact forces on a body in the last physics step, in N.

    It is 0 before an episode's first step.
    """
    model, data = env.model, env.data
    total = 0.0
    force = np.zeros(6)
    own = model.body(body).id
    for number in range(data.ncon if data.time > 0.0 else 0):
        contact = data.contact[number]
        if own in model.geom_bodyid[[contact.geom1, contact.geom2]]:
            mujoco.mj_contactForce(model, data, number, force)
            total += float(force[0])
    return total


def net_contact_force(env: Any, geom: str) -> float:
    """Return the size of the net contact force on a geom in the last physics step, in N.

    It is 0 before an episode's first step.
    """
    model, data = env.model, env.data
    total = np.zeros(3)
    force = np.zeros(6)
    own = model.geom(geom).id
    for number in range(data.ncon if data.time > 0.0 else 0):
        contact = data.contact[number]
        if own in (contact.geom1, contact.geom2):
            mujoco.mj_contactForce(model, data, number, force)
            in_world = contact.frame.reshape(3, 3).T @ force[:3]
            total += in_world if contact.geom2 == own else -in_world
    return float(np.linalg.norm(total))


def _velocity(data: Any, body: str | int) -> Any:
    """Return the angular and linear velocity `(6,)` of a body's frame in the world."""
    both = np.zeros(6)
    kind = mujoco.mjtObj.mjOBJ_XBODY
    mujoco.mj_objectVelocity(data.model, data, kind, data.model.body(body).id, both, 0)
    return both

"""Reading quantities of the MuJoCo model of an environment. Torch is not needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eureka_agent.simulation.gymnasium.recipe import ModelQuantity

try:
    import mujoco
except ImportError:  # in another Python
    mujoco = None

Array = NDArray[np.float64]


def mujoco_of(env: Any) -> tuple[Any, Any] | None:
    """Return the MuJoCo model and data of an environment, or None if it has none."""
    inner = getattr(env, "unwrapped", env)
    model, data = getattr(inner, "model", None), getattr(inner, "data", None)
    if mujoco is None:
        return None
    if isinstance(model, mujoco.MjModel) and isinstance(data, mujoco.MjData):
        return model, data
    return None


def read_quantity(quantity: ModelQuantity, model: Any, data: Any) -> Array:
    """Return the numbers of a quantity, `(quantity.size,)`."""
    return _READ[quantity.kind](quantity.ids, model, data)


def _body_velocity(ids: tuple[int, ...], model: Any, data: Any) -> Array:
    return _velocity(ids[0], model, data)[3:]


def _body_angular_velocity(ids: tuple[int, ...], model: Any, data: Any) -> Array:
    return _velocity(ids[0], model, data)[:3]


def _velocity(body: int, model: Any, data: Any) -> Array:
    """`(6,)`: angular, then linear velocity of a body's frame, in the world."""
    velocity = np.zeros(6)
    mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body, velocity, 0)
    return velocity


def _body_contact(ids: tuple[int, ...], model: Any, data: Any) -> Array:
    if data.ncon == 0:
        return np.zeros(1)
    touching = model.geom_bodyid[data.contact.geom]
    return np.array([float((touching == ids[0]).any())])


def _joint_positions(ids: tuple[int, ...], model: Any, data: Any) -> Array:
    positions: Array = data.qpos[model.jnt_qposadr[list(ids)]]
    return positions


def _joint_velocities(ids: tuple[int, ...], model: Any, data: Any) -> Array:
    velocities: Array = data.qvel[model.jnt_dofadr[list(ids)]]
    return velocities


def _sensor(ids: tuple[int, ...], model: Any, data: Any) -> Array:
    start = model.sensor_adr[ids[0]]
    values: Array = data.sensordata[start : start + model.sensor_dim[ids[0]]]
    return values


_READ: dict[str, Callable[[tuple[int, ...], Any, Any], Array]] = {
    "body_position": lambda ids, _, data: data.xpos[ids[0]],
    "body_orientation": lambda ids, _, data: data.xquat[ids[0]],
    "body_velocity": _body_velocity,
    "body_angular_velocity": _body_angular_velocity,
    "body_contact": _body_contact,
    "site_position": lambda ids, _, data: data.site_xpos[ids[0]],
    "joint_positions": _joint_positions,
    "joint_velocities": _joint_velocities,
    "sensor": _sensor,
}

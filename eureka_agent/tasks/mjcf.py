"""Helpers for building a task's scene as an `MjSpec`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

import mujoco
import torch
from torch import Tensor

from eureka_agent.errors import SimulationError
from eureka_agent.tasks import rotations

Quantity: TypeAlias = Literal["position", "quaternion", "linear_velocity", "angular_velocity"]

_FRAME_SENSORS = {
    "position": mujoco.mjtSensor.mjSENS_FRAMEPOS,
    "quaternion": mujoco.mjtSensor.mjSENS_FRAMEQUAT,
    "linear_velocity": mujoco.mjtSensor.mjSENS_FRAMELINVEL,
    "angular_velocity": mujoco.mjtSensor.mjSENS_FRAMEANGVEL,
}
_FRAME_OBJECTS = {
    # The body's own frame; mjOBJ_BODY would be its inertial frame.
    "body": mujoco.mjtObj.mjOBJ_XBODY,
    "site": mujoco.mjtObj.mjOBJ_SITE,
    "geom": mujoco.mjtObj.mjOBJ_GEOM,
}
_CONTACT_DATA = (mujoco.mjtConDataField.mjCONDATA_FORCE, mujoco.mjtConDataField.mjCONDATA_TORQUE)
_CONTACT_POINT = mujoco.mjtConDataField.mjCONDATA_POS
_NET_FORCE = 3
"""MuJoCo's `reduce="netforce"`: all contacts of an element combined into one."""


def load_xml(path: Path) -> mujoco.MjSpec:
    """Read an MJCF file. Raises SimulationError when it is missing or not a model."""
    try:
        return mujoco.MjSpec.from_file(str(path))
    except (OSError, ValueError) as error:
        raise SimulationError(f"Cannot read the model {path}: {error}") from error


def load_package_xml(package: str, path: str) -> mujoco.MjSpec:
    """Read the MJCF file at `path` inside an installed package, without importing the package.

    Raises SimulationError when the package is not installed or has no such file.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SimulationError(
            f"The model {path} comes with the package {package!r}, which is not installed."
        )
    return load_xml(Path(spec.submodule_search_locations[0], path))


def add_frame_sensors(
    spec: mujoco.MjSpec,
    name: str,
    kind: Literal["body", "site", "geom"] = "body",
    quantities: Sequence[Quantity] = (
        "position",
        "quaternion",
        "linear_velocity",
        "angular_velocity",
    ),
) -> None:
    """Add sensors `<name>_<quantity>` of an element's frame, expressed in the world's frame.

    Positions are in m, velocities in m/s (of the frame's origin) and rad/s; quaternions are (w, x,
    y, z).
    """
    for quantity in quantities:
        spec.add_sensor(
            name=f"{name}_{quantity}",
            type=_FRAME_SENSORS[quantity],
            objtype=_FRAME_OBJECTS[kind],
            objname=name,
        )


def add_touch_sensor(
    spec: mujoco.MjSpec,
    name: str,
    body: str,
    *,
    radius: float,
    position: Sequence[float] = (0.0, 0.0, 0.0),
) -> None:
    """Add a sensor `<name>`: the sum of normal contact forces (N) on `body` inside a sphere.

    The sphere has `radius` m around `position` m in the body's frame.
    """
    spec.body(body).add_site(
        name=f"{name}_site",
        type=mujoco.mjtGeom.mjGEOM_SPHERE,
        size=[radius, 0.0, 0.0],
        pos=list(position),
        group=4,  # not drawn by default
    )
    spec.add_sensor(
        name=name,
        type=mujoco.mjtSensor.mjSENS_TOUCH,
        objtype=mujoco.mjtObj.mjOBJ_SITE,
        objname=f"{name}_site",
    )


def add_contact_sensor(
    spec: mujoco.MjSpec, name: str, element: str, kind: Literal["body", "geom"]
) -> None:
    """Add a sensor `<name>` of all contacts of a body or geom, to be read with `contact_wrench`.

    Like all force sensors it lags positions by one physics step, and is 0 in an episode's first
    state.
    """
    wanted = sum(1 << int(each) for each in (*_CONTACT_DATA, _CONTACT_POINT))
    spec.add_sensor(
        name=name,
        type=mujoco.mjtSensor.mjSENS_CONTACT,
        objtype=mujoco.mjtObj.mjOBJ_BODY if kind == "body" else mujoco.mjtObj.mjOBJ_GEOM,
        objname=element,
        intprm=[wanted, _NET_FORCE, 1],
    )


def contact_wrench(reading: Tensor, origin: Tensor, orientation: Tensor) -> Tensor:
    """Return the wrench that the contacts exert on the element.

    Args:
        reading: `(…, 9)` of a sensor of `add_contact_sensor`: the force and torque that the element
            exerts on what it touches, and the point of contact, in the world's frame.
        origin: `(…, 3)` m in the world's frame, the point that the torque is about.
        orientation: `(…, 4)` (w, x, y, z) of the frame that the result is expressed in.

    Returns:
        `(…, 6)`: the force (N), then the torque (N m).
    """
    force, torque, point = -reading[..., :3], -reading[..., 3:6], reading[..., 6:]
    torque = torque + torch.linalg.cross(point - origin, force)
    inverse = rotations.conjugate(orientation)
    return torch.cat((rotations.rotate(inverse, force), rotations.rotate(inverse, torque)), dim=-1)

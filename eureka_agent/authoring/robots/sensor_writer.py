"""State variables that are read from sensors, and the sensors that are added for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import mujoco

from eureka_agent.authoring.robots.identifiers import Identifiers
from eureka_agent.tasks.task import QuantityKind, StateVariable

POSE = ("_position", "_quaternion", "_velocity", "_angular_velocity")
"""What the names of a frame's sensors end with."""
CONTACT_FORCE = "_contact_force"
_OBJ = mujoco.mjtObj
_SENSOR = mujoco.mjtSensor
_NET_FORCE = 3
_FORCE_DATA = 1 << int(mujoco.mjtConDataField.mjCONDATA_FORCE)

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
        self, name: str, kind: str, element: str, words: str, quantities: Sequence[str] = POSE
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
            name=name + CONTACT_FORCE,
            type=_SENSOR.mjSENS_CONTACT,
            objtype=_OBJ.mjOBJ_BODY,
            objname=body,
            intprm=[_FORCE_DATA, _NET_FORCE, 1],
        )
        spec = StateVariable(
            name + CONTACT_FORCE,
            (),
            "N",
            "-",
            f"size of the contact force on {words}; 0 without contact",
            "force",
        )
        return Variable(spec, "contact")


def read_sensor(spec: StateVariable) -> Variable:
    """Return the variable that is the sensor of the same name."""
    whole = f'state["{spec.name}"]'
    if not spec.shape:
        return Variable(spec, "number", seen=f"{whole}[:, None]", seen_size=1)
    return Variable(spec, "vector", seen=whole, seen_size=spec.shape[0])


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

"""State variables that say where the physics has them, for `RobotTask`.

Each function returns readings of the robot's usual quantities, with unit, frame and meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import mujoco
import torch
from torch import Tensor

from eureka_agent.simulation.physics import Physics
from eureka_agent.tasks.mjcf import Quantity, add_contact_sensor, add_frame_sensors
from eureka_agent.tasks.task import QuantityKind, StateSpec, StateVariable

AddSensors = Callable[[mujoco.MjSpec], None]

_FRAME: Mapping[Quantity, tuple[str, int, str, QuantityKind, str]] = {
    "position": ("position", 3, "m", "position", "position of"),
    "quaternion": ("quaternion", 4, "-", "quaternion_wxyz", "orientation (w, x, y, z) of"),
    "linear_velocity": ("velocity", 3, "m/s", "linear_velocity", "linear velocity of"),
    "angular_velocity": ("angular_velocity", 3, "rad/s", "angular_velocity", "angular velocity of"),
}


def _no_sensors(spec: mujoco.MjSpec) -> None:
    """Add nothing."""


@dataclass(frozen=True)
class Reading:
    """One variable of a task's state and where the physics has it."""

    variable: StateVariable
    read: Callable[[Physics], Tensor]
    """Returns the variable, `(num_envs, *shape)`."""
    add_sensors: AddSensors = _no_sensors
    """Adds to the scene what `read` needs."""


def spec_of(readings: Sequence[Reading], **constants: float) -> StateSpec:
    """Return the state of a task that has these readings, and constants that rewards may read."""
    return StateSpec(tuple(reading.variable for reading in readings), constants)


def frame(
    element: str,
    *,
    called: str | None = None,
    kind: Literal["body", "site", "geom"] = "body",
    quantities: Sequence[Quantity] = ("position", "linear_velocity"),
    axes: str = "x is forward, z is up",
) -> tuple[Reading, ...]:
    """Read the frame of a body, site or geom, in the world.

    Args:
        element: Its name in the model.
        called: What its variables are called: `<called>_position`, `_quaternion`, `_velocity`,
            `_angular_velocity`; by default like the element.
        kind: What it is.
        quantities: What is read.
        axes: What the axes mean; it is added to the position's meaning.
    """
    name = called or element
    readings: list[Reading] = []
    for quantity in quantities:
        ending, size, unit, quantity_kind, words = _FRAME[quantity]
        meaning = f"{words} the {name.replace('_', ' ')}"
        if quantity == "position" and axes:
            meaning = f"{meaning}; {axes}"
        variable = StateVariable(f"{name}_{ending}", (size,), unit, "world", meaning, quantity_kind)
        readings.append(
            Reading(
                variable, _sensor(f"{element}_{quantity}"), _frame_sensor(element, kind, quantity)
            )
        )
    return tuple(readings)


def joints(names: Sequence[str], *, qpos: slice, qvel: slice, zero: str) -> tuple[Reading, ...]:
    """Read `joint_positions` and `joint_velocities` of hinges.

    Args:
        names: Their names, in order.
        qpos: Where their angles are.
        qvel: Where their angular velocities are.
        zero: When all angles are 0: `in the start pose`.
    """
    shape, elements = (len(names),), tuple(names)
    positions = StateVariable(
        "joint_positions",
        shape,
        "rad",
        "-",
        f"angles of the joints, 0 {zero}",
        "joint_positions",
        elements=elements,
    )
    velocities = StateVariable(
        "joint_velocities",
        shape,
        "rad/s",
        "-",
        "angular velocities of the joints",
        "joint_velocities",
        elements=elements,
    )
    return (
        Reading(positions, lambda physics: physics.qpos[:, qpos]),
        Reading(velocities, lambda physics: physics.qvel[:, qvel]),
    )


def coordinate(name: str, index: int, unit: str, meaning: str) -> tuple[Reading, ...]:
    """Read one coordinate `<name>` and its velocity `<name>_velocity`.

    Args:
        name: What the coordinate is called.
        index: Its place in both `qpos` and `qvel`.
        unit: `rad` or `m`.
        meaning: What it is, with its zero and its positive direction.
    """
    kind: QuantityKind = "angle" if unit == "rad" else "distance"
    value = StateVariable(name, (), unit, "world", meaning, kind)
    words = f"rate of change of {name}"
    rate = StateVariable(f"{name}_velocity", (), f"{unit}/s", "world", words, "speed")
    return (
        Reading(value, lambda physics: physics.qpos[:, index]),
        Reading(rate, lambda physics: physics.qvel[:, index]),
    )


def contact(element: str, *, called: str, kind: Literal["body", "geom"] = "body") -> Reading:
    """Read `<called>_contact_force`: the size of the sum of the contact forces on an element."""
    sensor = f"{element}_contact"
    meaning = f"size of the sum of contact forces on the {called.replace('_', ' ')}; 0 in the air"
    variable = StateVariable(f"{called}_contact_force", (), "N", "-", meaning, "force")

    def read(physics: Physics) -> Tensor:
        size: Tensor = torch.linalg.vector_norm(physics.sensor(sensor)[:, :3], dim=1)
        return size

    def add(spec: mujoco.MjSpec) -> None:
        add_contact_sensor(spec, sensor, element, kind)

    return Reading(variable, read, add)


def _sensor(name: str) -> Callable[[Physics], Tensor]:
    return lambda physics: physics.sensor(name)


def _frame_sensor(
    element: str, kind: Literal["body", "site", "geom"], quantity: Quantity
) -> AddSensors:
    return lambda spec: add_frame_sensors(spec, element, kind, (quantity,))

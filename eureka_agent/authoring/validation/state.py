"""Checks of what a task tells about its state: units, frames, meanings."""

from __future__ import annotations

from collections.abc import Iterator

from eureka_agent.authoring.validation.findings import Finding, listed, ok, warning
from eureka_agent.tasks.task import StateVariable, Task

_NONE = ("", "-")
_UNITS = {
    "position": ("m",),
    "linear_velocity": ("m/s",),
    "angular_velocity": ("rad/s",),
    "joint_positions": ("rad", "m"),
    "joint_velocities": ("rad/s", "m/s"),
    "angle": ("rad",),
    "distance": ("m",),
    "speed": ("m/s", "rad/s"),
    "force": ("N", "N m"),
}
"""The units of each kind that has one."""
_FRAMED = ("position", "linear_velocity", "angular_velocity", "unit_vector")


def check_state(task: Task) -> Iterator[Finding]:
    """Check that models are told units, frames and meanings."""
    variables = task.state_spec.variables
    count = len(variables)
    yield _missing(
        "units",
        [f"{each.name} ({_expected(each)})" for each in variables if _lacks_unit(each)],
        f"all of {count} state variables have the unit of their kind",
        "have no unit although their kind has one: write it into state_spec",
    )
    yield _missing(
        "frames",
        [each.name for each in variables if each.kind in _FRAMED and each.frame.strip() in _NONE],
        "vectors have a frame",
        "do not say in which frame they are: write it into state_spec, e.g. world",
    )
    yield _missing(
        "meanings",
        [each.name for each in variables if not each.meaning.strip()],
        "every variable says what it is",
        "have no meaning: models cannot know what they are",
    )


def _missing(check: str, names: list[str], good: str, bad: str) -> Finding:
    return warning(check, f"{listed(names)} {bad}.") if names else ok(check, f"{good}.")


def _lacks_unit(variable: StateVariable) -> bool:
    return variable.kind in _UNITS and variable.unit.strip() in _NONE


def _expected(variable: StateVariable) -> str:
    return " or ".join(_UNITS[variable.kind])

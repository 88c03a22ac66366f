"""Checks that each attribute of a task is there and of the right kind. No method of it is run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import get_args

from eureka_agent.errors import TaskError
from eureka_agent.tasks.source_lines import place_of
from eureka_agent.tasks.task import QuantityKind, StateSpec, StateVariable, Task
from eureka_agent.text import one_line
from eureka_agent.utils.did_you_mean import normalised

_RESERVED = ("action", "episode_time")
_LAST_SIZE = {
    "position": 3,
    "linear_velocity": 3,
    "angular_velocity": 3,
    "unit_vector": 3,
    "quaternion_wxyz": 4,
    "quaternion_xyzw": 4,
}
_SCALARS = ("angle", "distance", "speed", "flag")


def check_attributes(task: Task) -> None:
    """Raise TaskError for the first attribute of a task that is missing or of the wrong kind."""
    for name, (fits, expected) in _ATTRIBUTES.items():
        if not hasattr(task, name):
            raise TaskError(
                f"{place_of(task)}: {type(task).__name__} has no {name}: set it to {expected}."
            )
        value = getattr(task, name)
        if not fits(value):
            raise TaskError(
                f"{place_of(task, name)}: {name} must be {expected}, but it is {_shown(value)}."
            )
    _check_spec(task, place_of(task, "state_spec"))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_string(value: object) -> bool:
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return (
        isinstance(value, str)
        and bool(normalised(value))
        and value.isprintable()
        and "/" not in value
    )


def _are_texts(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and all(_is_text(text) for text in value)
        and len(set(value)) == len(value)
    )


def _are_names(value: object) -> bool:
    return _are_texts(value) and value != ()


def _is_spec(value: object) -> bool:
    return isinstance(value, StateSpec)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _are_counts(value: object) -> bool:
    return isinstance(value, tuple) and all(_is_count(count) for count in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_number_or_nan(value: object) -> bool:
    return _is_number(value) or (isinstance(value, float) and math.isnan(value))


_ATTRIBUTES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "name": (_is_name, "a text of letters and digits, e.g. 'slider'"),
    "description": (_is_text, "one sentence in quotes that says what the robot should do"),
    "aliases": (_are_texts, "a tuple of different texts, e.g. ('slide',)"),
    "state_spec": (_is_spec, "a StateSpec((StateVariable(...), ...))"),
    "max_episode_steps": (_is_count, "a whole number of environment steps, 1 or more"),
    "fitness_unit": (_is_text, "a text such as 'm/s'"),
    "fitness_solved": (_is_number_or_nan, "a number, or math.nan if no value is known"),
    "fitness_meaning": (_is_string, "a text such as 'mean forward speed over the whole episode'"),
    "notes": (_is_string, "a text with physical facts, e.g. 'The cart weighs 1 kg.'"),
    "action_names": (_are_names, "a tuple of different texts, e.g. ('push',)"),
    "action_choices": (_are_counts, "a tuple of numbers of options, e.g. (3,), or ()"),
}


def _check_spec(task: Task, place: str) -> None:
    spec = task.state_spec
    if not isinstance(spec.variables, tuple) or not all(
        isinstance(each, StateVariable) for each in spec.variables
    ):
        raise TaskError(
            f"{place}: StateSpec takes a tuple of StateVariables, but it has"
            f" {_shown(spec.variables)}: write StateSpec((StateVariable(...),)), with the comma"
            " even for a single one."
        )
    names = [variable.name for variable in spec.variables]
    for variable in spec.variables:
        if reason := _variable_error(variable, names) or _goal_error(variable, spec):
            raise TaskError(f"{place}: the state variable {variable.name!r} {reason}.")
    for name, value in spec.constants.items():
        if not (_identifier(name) and name not in names and _is_number(value)):
            raise TaskError(
                f"{place}: the constant {name!r} must have a name of its own and a finite number as"
                " its value."
            )


def _variable_error(variable: StateVariable, names: list[str]) -> str:
    """Return what is wrong with a state variable by itself, or an empty string."""
    name, shape, kind = variable.name, variable.shape, variable.kind
    if not _identifier(name) or names.count(name) > 1 or name in _RESERVED:
        return (
            f"needs a Python name that is used once and is not one of {', '.join(_RESERVED)}, which"
            " are added for you"
        )
    if not isinstance(shape, tuple) or not all(_is_count(size) for size in shape):
        return (
            f"has the shape {_shown(shape)}: write a tuple without the number of environments, e.g."
            " (3,), or () for one number"
        )
    if kind not in get_args(QuantityKind):
        return f"has the kind {kind!r}: take one of {', '.join(get_args(QuantityKind))}"
    if kind in _LAST_SIZE and shape[-1:] != (_LAST_SIZE[kind],):
        return (
            f"has the shape {shape}, but a {kind} has {_LAST_SIZE[kind]} entries: change its shape"
            " or its kind"
        )
    if kind in _SCALARS and shape != ():
        return (
            f"has the shape {shape}, but a {kind} is one number, (): change its shape or its kind"
        )
    if variable.elements and shape[-1:] != (len(variable.elements),):
        count = len(variable.elements)
        return (
            f"names {count} elements, but its shape is {shape}: name each entry of the last"
            " dimension"
        )
    return ""


def _goal_error(variable: StateVariable, spec: StateSpec) -> str:
    """Return what is wrong with the `goal_for` of a variable, or an empty string."""
    if variable.goal_for is None:
        return ""
    shapes = {each.name: each.shape for each in spec.variables}
    if shapes.get(variable.goal_for) == variable.shape:
        return ""
    return (
        f"is the goal for {variable.goal_for!r}, which must be another variable of the same shape"
        f" {variable.shape}"
    )


def _identifier(name: object) -> bool:
    return isinstance(name, str) and name.isidentifier()


def _shown(value: object) -> str:
    return one_line(repr(value), 60)

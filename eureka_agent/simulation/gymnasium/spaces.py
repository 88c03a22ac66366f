"""The observation of an environment as named parts, which rewards read.

Parts are in the order of `gymnasium.spaces.flatten`, which makes the policy's observation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import (
    Box,
    Dict,
    Discrete,
    MultiBinary,
    MultiDiscrete,
    Space,
    Tuple,
    flatdim,
)

from eureka_agent.errors import UsageError
from eureka_agent.simulation.gymnasium.docstrings import numbered_rows
from eureka_agent.simulation.gymnasium.known import KNOWN
from eureka_agent.simulation.gymnasium.words import identifier, unique
from eureka_agent.tasks.task import QuantityKind, StateVariable
from eureka_agent.text import one_line

_MOST_ENTRIES = 10_000
_MOST_SINGLE = 50
"""Entries up to which each named entry of a vector is a variable of its own."""
_MOST_UNNAMED = 12
_UNITS = ("m", "rad", "m/s", "rad/s", "N", "N m", "Nm", "kg", "s", "V")
_GOAL, _ACHIEVED = "desired_goal", "achieved_goal"


class Entry(NamedTuple):
    """One number of a vector, as a table describes it."""

    name: str
    unit: str
    meaning: str


def check_observation_space(space: Space[Any], name: str) -> None:
    """Raise UsageError for observations that are not supported."""
    for part in _leaves(space):
        if isinstance(part, Box) and part.dtype == np.uint8 and len(part.shape) == 3:
            raise UsageError(
                f"{name} observes images ({part.shape}): rewards and policies here read numbers."
                " Take a variant of the environment that observes its state, or wrap it in one."
            )
        if not isinstance(part, Box | Discrete | MultiBinary | MultiDiscrete):
            raise UsageError(
                f"{name} observes a {type(part).__name__} space: supported are numbers (Box,"
                " Discrete, MultiDiscrete, MultiBinary) and Dict and Tuple spaces of them."
            )
    if flatdim(space) > _MOST_ENTRIES:
        raise UsageError(
            f"{name} observes {flatdim(space):,} numbers, more than {_MOST_ENTRIES:,}: rewards and"
            " policies here read a state, not pictures."
        )
    if flatdim(space) == 0:
        raise UsageError(f"{name} observes nothing: a policy needs an observation.")


def observation_variables(
    space: Space[Any], docstring: str, kind: str
) -> tuple[StateVariable, ...]:
    """Return the variables of an observation; together they are the flattened observation.

    Args:
        space: The observation space.
        docstring: That of the environment's class.
        kind: The name of the environment's class.
    """
    known = KNOWN.get(kind)
    if isinstance(space, Dict | Tuple):
        variables = _of_children(space, "", docstring)
        return _with_goals(_renamed(variables))
    if isinstance(space, Box) and known is not None and len(known.entries) == _count(space):
        entries = dict(enumerate(Entry(*entry) for entry in known.entries))
    else:
        entries = _table(docstring)
    return _renamed(_of_leaf(space, "", entries))


def _of_children(space: Space[Any], prefix: str, docstring: str) -> list[StateVariable]:
    children: Sequence[tuple[str, Space[Any]]] = ()
    if isinstance(space, Dict):
        children = [(str(key), child) for key, child in space.spaces.items()]
    elif isinstance(space, Tuple):
        children = [(str(index), child) for index, child in enumerate(space.spaces)]
    variables: list[StateVariable] = []
    for key, child in children:
        name = "_".join(filter(None, (prefix, identifier(key) or f"part_{key}"[:20])))
        name = identifier(name) or "part"
        if isinstance(child, Dict | Tuple):
            variables += _of_children(child, name, docstring)
        else:
            entries = _table(docstring) if key == "observation" else {}
            variables += _of_leaf(child, name, entries)
    return variables


def _of_leaf(space: Space[Any], name: str, entries: Mapping[int, Entry]) -> list[StateVariable]:
    """Return the variables of a space without children; `name` is its key in a Dict space."""
    if isinstance(space, Discrete):
        meaning = f"one-hot: which of {int(space.n)} discrete states"
        return [_variable(name or "observation", (int(space.n),), meaning)]
    if isinstance(space, MultiDiscrete):
        counts = space.nvec.flatten()
        names = [f"{name or 'observation'}_{index}" for index in range(len(counts))]
        pairs = zip(names, counts, strict=True)
        return [_variable(each, (int(n),), f"one-hot: which of {n}") for each, n in pairs]
    count = _count(space)
    if isinstance(space, MultiBinary):
        return [_variable(name or "observation", (count,), "each 0 or 1")]
    assert isinstance(space, Box)
    if name:
        return [_vector(space, name, entries if len(entries) == count else {})]
    fits = bool(entries) and max(entries) < count
    if len(space.shape) == 1 and count <= _MOST_SINGLE and fits:
        return [_single(space, index, entries.get(index)) for index in range(count)]
    if len(space.shape) == 1 and count <= _MOST_UNNAMED:
        return [_single(space, index, None) for index in range(count)]
    return [_vector(space, "obs", {})]


def _single(space: Box, index: int, entry: Entry | None) -> StateVariable:
    low, high = float(space.low.flat[index]), float(space.high.flat[index])
    bounds = _bounds(low, high)
    if entry is None:
        return _variable(f"obs_{index}", (), f"entry {index} of the observation{bounds}")
    kind: QuantityKind = "other"
    if entry.unit == "rad" and "velocity" not in entry.name:
        kind = "angle"
    elif "contact" in entry.name:
        kind = "flag"
        bounds = ""
    name = entry.name or f"obs_{index}"
    return _variable(name, (), f"{entry.meaning}{bounds}", unit=entry.unit, kind=kind)


def _vector(space: Box, name: str, entries: Mapping[int, Entry]) -> StateVariable:
    shape = space.shape or (1,)
    elements: tuple[str, ...] = ()
    if entries and len(shape) == 1:
        names = (entries[index].name for index in range(shape[0]))
        elements = unique(each or f"obs_{index}" for index, each in enumerate(names))
    low, high = float(space.low.min()), float(space.high.max())
    return _variable(name, shape, f"part of the observation{_bounds(low, high)}", elements=elements)


def _variable(
    name: str,
    shape: tuple[int, ...],
    meaning: str,
    *,
    unit: str = "-",
    kind: QuantityKind = "other",
    elements: tuple[str, ...] = (),
) -> StateVariable:
    return StateVariable(name, shape, unit, "-", meaning, kind, elements=elements)


def _renamed(variables: Sequence[StateVariable]) -> tuple[StateVariable, ...]:
    names = unique(variable.name for variable in variables)
    return tuple(replace(each, name=name) for each, name in zip(variables, names, strict=True))


def _with_goals(variables: tuple[StateVariable, ...]) -> tuple[StateVariable, ...]:
    """Say that the goal of a goal environment is the goal of what it achieves."""
    shapes = {variable.name: variable.shape for variable in variables}
    if _GOAL not in shapes or shapes.get(_ACHIEVED) != shapes[_GOAL]:
        return variables
    goal = {"meaning": "the goal of this episode", "goal_for": _ACHIEVED}
    achieved = {"meaning": f"what has to become equal to {_GOAL}"}
    changes: Mapping[str, Mapping[str, Any]] = {_GOAL: goal, _ACHIEVED: achieved}
    return tuple(replace(each, **changes.get(each.name, {})) for each in variables)


def _table(docstring: str) -> dict[int, Entry]:
    """Return the entries of the table in a docstring's section on the observation."""
    entries: dict[int, Entry] = {}
    for number, row in numbered_rows(docstring, "observation").items():
        meaning = one_line(re.sub(r"[`*$\\]", "", row.get("observation", "")), 100)
        entries[number] = Entry(identifier(meaning), _unit_in(row), meaning)
    return entries


def _unit_in(row: Mapping[str, str]) -> str:
    """Return the unit that a row names in its last column or with its bounds, or `-`."""
    for column, cell in reversed(list(row.items())):
        said = (
            re.findall(r"\(([^)]*)\)", cell) if "unit" in column else re.findall(r"\brad\b", cell)
        )
        for unit in said:
            if unit.strip() in _UNITS:
                return str(unit.strip())
    return "-"


def _bounds(low: float, high: float) -> str:
    if not math.isfinite(low) or not math.isfinite(high) or high - low > 1e6:
        return ""
    return f", in [{low + 0.0:.4g}, {high + 0.0:.4g}]"


def _count(space: Space[Any]) -> int:
    return int(np.prod(space.shape or ()))


def _leaves(space: Space[Any]) -> list[Space[Any]]:
    if isinstance(space, Dict):
        return [leaf for child in space.spaces.values() for leaf in _leaves(child)]
    if isinstance(space, Tuple):
        return [leaf for child in space.spaces for leaf in _leaves(child)]
    return [space]

"""Single numbers that describe a state: entries of small variables, sizes of large ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from eureka_agent.tasks.task import State, StateSpec, StateVariable

_FEW = 3
_FEW_NAMED = 13
"""Entries up to which a variable of named, different entries is shown entry by entry."""
_VECTORS = ("position", "linear_velocity", "angular_velocity", "unit_vector")


@dataclass(frozen=True)
class Quantity:
    """A number per environment, with its name and unit."""

    name: str
    unit: str
    """Empty if it has none."""


@dataclass(frozen=True)
class _Group:
    quantities: tuple[Quantity, ...]
    read: Callable[[State], Tensor]
    """Returns `(num_envs, len(quantities))`."""


class QuantityReader:
    """Reads the numbers that describe a task's state.

    These are the entries of small variables, the root mean square of large ones, and the distance
    or angle between a variable and its goal. Quaternions are left out: their entries say little.
    """

    def __init__(self, spec: StateSpec) -> None:
        goals = {each.name: each for each in spec.variables if each.goal_for}
        known = {each.name for each in spec.variables}
        self._groups: list[_Group] = []
        for variable in spec.variables:
            if variable.name == "episode_time":
                continue
            if variable.name not in goals:
                self._groups += _own_group(variable)
            elif variable.goal_for in known:
                self._groups += _goal_group(variable)
        self.quantities = tuple(each for group in self._groups for each in group.quantities)

    def __call__(self, state: State) -> Tensor:
        """Return the numbers, `(num_envs, len(self.quantities))` float32 on the state's device."""
        if not self._groups:
            return torch.zeros(len(state["action"]), 0)
        return torch.cat([group.read(state) for group in self._groups], dim=1)


def _own_group(variable: StateVariable) -> list[_Group]:
    name, unit = variable.name, _unit(variable.unit)
    size = math.prod(variable.shape)
    if variable.kind.startswith("quaternion"):
        return []
    if not variable.shape:
        return [_Group((Quantity(name, unit),), lambda state: state[name][:, None])]
    named = variable.kind == "other" and len(variable.elements) == size <= _FEW_NAMED
    if len(variable.shape) == 1 and (size <= _FEW or named):
        return [_Group(_entries(variable), lambda state: state[name])]
    if variable.kind == "position":  # the mean square of several places has no meaning
        return []
    rms = Quantity(f"rms of {name}", unit)
    return [_Group((rms,), lambda state: _root_mean_square(state[name]))]


def _goal_group(goal: StateVariable) -> list[_Group]:
    """Return the distance or the angle between a goal and the variable that it is the goal of."""
    name, moving = goal.name, str(goal.goal_for)
    if goal.kind == "unit_vector":
        angle = Quantity(f"angle of {moving} to {name}", "°")
        return [_Group((angle,), lambda state: _angle_deg(state[moving], state[name]))]
    if goal.kind.startswith("quaternion"):
        return []
    distance = Quantity(f"distance of {moving} to {name}", _unit(goal.unit))
    return [_Group((distance,), lambda state: _distance(state[moving], state[name]))]


def _entries(variable: StateVariable) -> tuple[Quantity, ...]:
    size = variable.shape[0]
    labels = _labels(variable, size)
    units = variable.unit.split(", ")
    # A unit such as "m, rad" names the units of the entries in order, if there are as many.
    each = units if len(units) == size else [variable.unit if len(units) == 1 else ""] * size
    pairs = zip(labels, each, strict=True)
    return tuple(Quantity(f"{variable.name}{label}", _unit(unit)) for label, unit in pairs)


def _labels(variable: StateVariable, size: int) -> Sequence[str]:
    if len(variable.elements) == size and all(map(str.isidentifier, variable.elements)):
        return [f".{element}" for element in variable.elements]
    if variable.kind in _VECTORS and size == len("xyz"):
        return [f".{axis}" for axis in "xyz"]
    return [f"[{index}]" for index in range(size)]


def _unit(unit: str) -> str:
    return "" if unit == "-" else unit


def _root_mean_square(values: Tensor) -> Tensor:
    flat = values.flatten(1)
    norm: Tensor = torch.linalg.vector_norm(flat, dim=1, keepdim=True)
    return norm / math.sqrt(flat.shape[1])


def _distance(values: Tensor, goal: Tensor) -> Tensor:
    apart: Tensor = torch.linalg.vector_norm(
        (values - goal).reshape(len(values), -1), dim=1, keepdim=True
    )
    return apart


def _angle_deg(values: Tensor, goal: Tensor) -> Tensor:
    cosine = (values * goal).sum(dim=1, keepdim=True)
    return torch.rad2deg(torch.acos(cosine.clamp(-1.0, 1.0)))

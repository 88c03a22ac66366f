"""Check the arguments of a graph's operations against the operations' schemas.

torch checks little of what it gets through `torch.ops`: it reads an integer as a member of an
enumeration, and a value without a member crashes the process. So an operation gets only arguments
that its schema allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from eureka_agent.errors import GraphError

_NEVER = frozenset({"layout", "pin_memory", "non_blocking", "generator", "out"})
"""Arguments that no recording contains."""
_ENUMERATIONS: Mapping[str, range] = {"reduction": range(3), "compute_mode": range(3)}
"""Integer arguments that are members of an enumeration, with the valid values."""
_TEXTS: Mapping[str, frozenset[str]] = {
    "rounding_mode": frozenset({"trunc", "floor"}),
    "approximate": frozenset({"none", "tanh"}),
}
_LARGEST_INTEGER = 1 << 31
"""For sizes, dimensions and offsets; sums of a few of them fit into 64 bits."""
_LARGEST_NUMBER = 1 << 53


@dataclass(frozen=True)
class Reference:
    """An output of an earlier node."""

    node: int
    output: int


@dataclass(frozen=True)
class Rows:
    """An integer that depends on the number of rows: `factor * rows + offset`."""

    factor: int
    offset: int

    def at(self, rows: int) -> int:
        """Return the integer for `rows` rows. Raises GraphError if it is too large for a size."""
        value = self.factor * rows + self.offset
        if abs(value) >= _LARGEST_INTEGER:
            raise GraphError("a reward's graph was refused: an integer that is too large")
        return value


@dataclass(frozen=True)
class Device:
    """A placeholder for the device on which the graph runs."""


_CLASSES: Mapping[str, type] = {
    "bool": bool,
    "ScalarType": torch.dtype,
    "MemoryFormat": torch.memory_format,
    "Device": Device,
}


def demand_arguments(
    name: str, schema: torch.FunctionSchema, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Raise GraphError unless the operation `name` takes these arguments."""
    known = {
        argument.name: argument for argument in schema.arguments if argument.name not in _NEVER
    }
    positional = [argument for argument in schema.arguments if not argument.kwarg_only]
    if len(args) > len(positional):
        raise _refused(name)
    given = {argument.name: value for argument, value in zip(positional, args, strict=False)}
    if not kwargs.keys() <= known.keys() or kwargs.keys() & given.keys():
        raise _refused(name)
    given |= kwargs
    for argument in schema.arguments:
        if argument.name not in given:
            if not argument.has_default_value():
                raise _refused(name)
        elif not _fits(given[argument.name], str(argument.real_type), argument.name):
            raise _refused(name)


def _refused(name: str) -> GraphError:
    return GraphError(f"a reward's graph was refused: the arguments of {name}")


def _fits(value: Any, kind: str, argument: str) -> bool:
    """Return whether a value is of this kind, in the schema's spelling: `Optional[List[int]]`."""
    if kind.startswith("Optional["):
        return value is None or _fits(value, kind.removeprefix("Optional[")[:-1], argument)
    if kind.startswith("List["):
        if kind == "List[int]" and _fits(value, "int", argument):
            return True  # torch accepts one integer as a list of one
        return isinstance(value, list) and all(_fits_list(v, kind[5:-1], argument) for v in value)
    if isinstance(value, Rows):
        return kind in ("int", "number", "Tensor") and argument not in _ENUMERATIONS
    if kind in _CLASSES:
        return isinstance(value, _CLASSES[kind])
    match kind:
        case "Tensor":
            # torch turns a number into a tensor
            return isinstance(value, Reference) or _fits(value, "number", argument)
        case "int":
            return type(value) is int and _is_choice(value, argument)
        case "float" | "number":
            return isinstance(value, bool | float) or (
                type(value) is int and abs(value) < _LARGEST_NUMBER
            )
        case "str":
            return isinstance(value, str) and value in _TEXTS.get(argument, ())
    return False


def _fits_list(value: Any, kind: str, argument: str) -> bool:
    """Return whether a list item is of this kind; in lists a number cannot stand for a tensor."""
    if kind.endswith("Tensor"):
        return isinstance(value, Reference)
    if kind == "Optional[Tensor]":
        return value is None or isinstance(value, Reference)
    return _fits(value, kind, argument)


def _is_choice(value: int, argument: str) -> bool:
    if argument in _ENUMERATIONS:
        return value in _ENUMERATIONS[argument]
    return abs(value) < _LARGEST_INTEGER

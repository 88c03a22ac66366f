"""Dataclasses as JSON and back with the standard library alone, checked when they are read.

A worker in another Python has torch, numpy, safetensors and its simulator, and no pydantic. The
run's database uses pydantic (`utils/serialization.py`).
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

_Record = TypeVar("_Record")


def encode(record: Any) -> str:
    """Return a dataclass as JSON; NaN and infinity survive as `NaN` and `Infinity`."""
    return json.dumps(asdict(record))


def decode(kind: type[_Record], text: str) -> _Record:
    """Return the dataclass that `encode` wrote.

    Raises:
        ValueError: The text is not JSON, or does not fit; the message says which field.
    """
    try:
        record: _Record = _value(kind, json.loads(text), kind.__name__)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return record


def _value(kind: Any, data: Any, where: str) -> Any:
    """Return `data` as a value of the type `kind`. Raises ValueError."""
    origin = get_origin(kind)
    if is_dataclass(kind):
        return _dataclass(kind, data, where)
    if origin in (Union, types.UnionType):
        return _first_fit(get_args(kind), data, where)
    if origin is Literal:
        _demand(data in get_args(kind), where, f"one of {', '.join(map(repr, get_args(kind)))}")
        return data
    if origin in (tuple, list):
        return _sequence(origin, get_args(kind), data, where)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _demand(isinstance(data, dict), where, "an object")
        inner = get_args(kind)[1]
        return {name: _value(inner, value, f"{where}.{name}") for name, value in data.items()}
    if kind is float:
        _demand(isinstance(data, int | float) and not isinstance(data, bool), where, "a number")
        return float(data)
    if kind is types.NoneType:
        _demand(data is None, where, "null")
        return None
    _demand(isinstance(data, kind) and (kind is bool or not isinstance(data, bool)), where, kind)
    return data


def _dataclass(kind: Any, data: Any, where: str) -> Any:
    _demand(isinstance(data, dict), where, "an object")
    hints = get_type_hints(kind)
    known = {field.name: hints[field.name] for field in fields(kind) if field.init}
    for name in data:
        _demand(name in known, f"{where}.{name}", "left out: there is no such field")
    values = {name: _value(known[name], value, f"{where}.{name}") for name, value in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from None


def _sequence(origin: Any, inner: tuple[Any, ...], data: Any, where: str) -> Any:
    _demand(isinstance(data, list), where, "a list")
    kinds = inner
    if origin is list or inner[-1] is Ellipsis:
        kinds = (inner[0],) * len(data)
    _demand(len(kinds) == len(data), where, f"a list of {len(kinds)}")
    places = [f"{where}[{index}]" for index in range(len(data))]
    return origin(map(_value, kinds, data, places))


def _first_fit(kinds: tuple[Any, ...], data: Any, where: str) -> Any:
    for kind in kinds:
        try:
            return _value(kind, data, where)
        except ValueError as error:
            wrong = error
    raise wrong


def _demand(fits: bool, where: str, expected: object) -> None:
    if not fits:
        name = expected.__name__ if isinstance(expected, type) else expected
        raise ValueError(f"{where} must be {name}")

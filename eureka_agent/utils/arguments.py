"""Check users' arguments: unknown names and values of the wrong type raise a one-sentence error."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from eureka_agent.errors import ConfigError
from eureka_agent.text import shortened
from eureka_agent.utils.did_you_mean import did_you_mean
from eureka_agent.utils.paths import user_path

_Class = TypeVar("_Class")
_KNOWN_HINTS: dict[Any, Mapping[str, Any]] = {}
"""A cache: reading the hints of a class takes a millisecond."""
_NAMES: Mapping[type, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
}


def refuse_unknown_arguments(cls: type[_Class]) -> type[_Class]:
    """Make `cls(...)` raise ConfigError for an unknown argument, with similar names."""
    original: Callable[..., None] = cls.__init__
    known = list(inspect.signature(cls).parameters)

    @functools.wraps(original)  # keeps the signature for `help` and for editors
    def init(self: object, *args: Any, **values: Any) -> None:
        check_names(values, known, f"{cls.__name__} has no argument")
        original(self, *args, **values)

    setattr(cls, "__init__", init)  # noqa: B010  mypy allows no other way
    return cls


def check_names(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise ConfigError for the first of `given` not in `known`; `what` begins the sentence."""
    known = list(known)
    for name in given:
        if name not in known:
            near = did_you_mean(name, known) or f" It has {', '.join(known)}."
            raise ConfigError(f"{what} {name!r}.{near}")


def check_values(config: object, *, but: Collection[str] = ()) -> None:
    """Check every field of a frozen dataclass against its type. Raises ConfigError.

    Strings become paths and lists become tuples where the type asks for it, and NumPy's numbers
    become Python's. `but` names fields that are checked elsewhere.
    """
    for name, kind in _hints(type(config)).items():
        if name in but:
            continue
        value = _converted(getattr(config, name), kind)
        check_value(name, value, kind)
        object.__setattr__(config, name, value)


def check_value(name: str, value: object, kind: Any) -> None:
    """Raise ConfigError if `value` is not of the type `kind`; the message says what is allowed."""
    if _fits(value, kind):
        return
    near = ""
    allowed = [option for option in _options(kind) if isinstance(option, str)]
    if isinstance(value, str):
        near = did_you_mean(value, allowed)
    raise ConfigError(f"{name} must be {_in_words(kind)}, got {_shown(value)}.{near}")


def _hints(cls: Any) -> Mapping[str, Any]:
    if cls not in _KNOWN_HINTS:
        hints = get_type_hints(cls)
        _KNOWN_HINTS[cls] = {field.name: hints[field.name] for field in fields(cls)}
    return _KNOWN_HINTS[cls]


def _kinds(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type itself if it is not a union."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _converted(value: Any, kind: Any) -> Any:
    kinds = _kinds(kind)
    if Path in kinds and isinstance(value, str | PathLike):
        return user_path(value)
    if isinstance(value, bool) or value is None:
        return value
    if int in kinds and hasattr(value, "__index__"):
        return int(value)
    if float in kinds and not isinstance(value, str | int | float) and hasattr(value, "__float__"):
        return float(value)
    if any(get_origin(each) is tuple for each in kinds) and isinstance(value, list):
        return tuple(value)
    return value


def _fits(value: object, kind: Any) -> bool:
    for each in _kinds(kind):
        if get_origin(each) is Literal:
            fits = value in get_args(each)
        elif get_origin(each) is tuple:
            inner = get_args(each)[0]
            fits = isinstance(value, tuple) and all(_fits(entry, inner) for entry in value)
        elif each in (int, float):
            fits = isinstance(value, (int,) if each is int else (int, float)) and not isinstance(
                value, bool
            )
        else:
            fits = isinstance(value, each)
        if fits:
            return True
    return False


def _options(kind: Any) -> list[object]:
    found: list[object] = []
    for each in _kinds(kind):
        found += get_args(each) if get_origin(each) is Literal else []
    return found


def _in_words(kind: Any) -> str:
    parts: list[str] = []
    for each in _kinds(kind):
        if get_origin(each) is Literal:
            parts += [repr(option) for option in get_args(each)]
        elif get_origin(each) is tuple:
            inner = get_args(each)[0]
            parts.append(f"a list or tuple, each entry {_in_words(inner)}")
        elif each is types.NoneType:
            parts.append("None")
        else:
            parts.append("a path" if each is Path else _NAMES.get(each, each.__name__))
    return f"{', '.join(parts[:-1])} or {parts[-1]}" if len(parts) > 1 else parts[0]


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a number of more than 30 digits"  # Python writes no integer of more than 4,300
    if isinstance(value, str | int | float | tuple | list) or value is None:
        return shortened(repr(value), 80)
    return f"an object of type {value.__name__ if inspect.isclass(value) else type(value).__name__}"

"""The keyword arguments of an environment, with Gymnasium's names and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeAlias, TypeVar, get_type_hints

Range: TypeAlias = tuple[float, float]
"""The lowest and the highest value."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all environments have."""

    xml_file: str
    """The model: a file of Gymnasium, or a path that starts with `/`, `.` or `~`."""
    frame_skip: int
    """Physics steps per environment step."""
    max_episode_steps: int | None = None
    """The time limit in environment steps; None is the registered one."""


SettingsT = TypeVar("SettingsT", bound=Settings)


def read_settings(kind: type[SettingsT], kwargs: Mapping[str, object]) -> SettingsT | None:
    """Return the settings that keyword arguments make.

    Args:
        kind: The settings of one environment.
        kwargs: What `gymnasium.make` would get.

    Returns:
        None where an argument is not one of them or has another type.
    """
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}
    if not kwargs.keys() <= known:
        return None
    if not all(_fits(hints[name], value) for name, value in kwargs.items()):
        return None
    given = {name: _as_tuple(value) for name, value in kwargs.items()}
    settings = kind(**given)  # type: ignore[arg-type]  # checked above
    limit = settings.max_episode_steps
    return settings if settings.frame_skip >= 1 and (limit is None or limit >= 1) else None


def is_default(settings: Settings) -> bool:
    """Say whether all settings are as Gymnasium registers the environment."""
    return all(getattr(settings, each.name) == each.default for each in fields(settings))


def _fits(hint: object, value: object) -> bool:
    """Say whether a value has the type of a setting; JSON has lists for tuples."""
    if hint == Range:
        return isinstance(value, list | tuple) and list(map(_is_number, value)) == [True, True]
    if hint is float:
        return _is_number(value)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, hint)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value

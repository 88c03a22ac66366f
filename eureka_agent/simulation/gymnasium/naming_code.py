"""Ids that name code. A run's folder may come from somebody else, so such an id is not trusted."""

from __future__ import annotations

from eureka_agent.simulation.gymnasium.making import imports_code
from eureka_agent.tasks.ids import split_id

_OF_PATHS = ("/", "\\", ":", ".")


def names_code(text: str) -> bool:
    """Whether making the task of an id runs code, or reads a file, that only the id names.

    Args:
        text: The id. One that registers nothing, and has no texts that may be paths, names no code.
    """
    name, options = split_id(text)
    fitness = options.get("fitness")
    is_rule = fitness is None or (isinstance(fitness, str) and not _may_be_path(fitness))
    if options.get("python") is not None:
        return True
    return imports_code(name) or not is_rule or _has_path(options.get("kwargs"))


def _has_path(value: object) -> bool:
    """Whether an argument of an environment holds a text that may be a path."""
    if isinstance(value, dict):
        return any(_has_path(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return any(map(_has_path, value))
    return isinstance(value, str) and _may_be_path(value)


def _may_be_path(text: str) -> bool:
    if text.startswith("info:"):
        return ".py" in text
    return any(mark in text for mark in _OF_PATHS)

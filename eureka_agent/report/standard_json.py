"""Numbers that JSON lacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def standard_json(value: Any, instead: Callable[[float], str | None]) -> Any:
    """Return plain data without NaN and infinities, so that every JSON reader can read it.

    Args:
        value: Strings, numbers, booleans, None, lists and dictionaries.
        instead: Returns what takes the place of such a number.

    Returns:
        The data with `instead`'s values.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return instead(value)
    if isinstance(value, dict):
        return {key: standard_json(item, instead) for key, item in value.items()}
    if isinstance(value, list):
        return [standard_json(item, instead) for item in value]
    return value


def as_null(number: float) -> None:
    """Write NaN and infinities as null."""


def as_name(number: float) -> str:
    """Write NaN and infinities as the strings `NaN`, `Infinity` and `-Infinity`."""
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"

"""The report of a sealed process: which layers hold in it, and why others do not."""

from __future__ import annotations

from collections.abc import Callable

Report = dict[str, str]
"""For each layer the reason why it does not hold; empty if it holds."""


def attempt(step: Callable[[], None]) -> str:
    """Apply a layer; return why it does not hold, or an empty string if it does."""
    try:
        step()
    except (OSError, ValueError) as error:  # setrlimit raises ValueError
        return str(error) or type(error).__name__
    return ""

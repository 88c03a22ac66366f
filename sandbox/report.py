"""What sealing a process reports: which layers hold in it, and why others do not."""

from __future__ import annotations

from collections.abc import Callable

Report = dict[str, str]
"""Per layer: why it does not hold; empty where it does."""


def attempt(step: Callable[[], None]) -> str:
    """Apply a layer; return why it does not hold, empty where it does."""
    try:
        step()
    except (OSError, ValueError) as error:  # setrlimit raises ValueError
        return str(error) or type(error).__name__
    return ""

"""Limits of the numbers in a config."""

from __future__ import annotations

import math
from typing import Any

from eureka_agent.errors import UsageError

MAX_SEED = 2**31 - 1
"""What is added to a seed (for evaluation and final trainings) stays below 2**32, NumPy's limit."""
_MOST = {
    "generations": 10_000,
    "samples": 10_000,
    "seeds": 1_000,
    "attempts": 1_000,
    "num_envs": 10_000_000,
    "environment_steps": 10**15,
    "threads": 4_096,
    "answer_tokens": 10**8,
    "max_tokens": 10**15,
    "concurrency": 10_000,
}
"""Largest allowed counts; the smallest is 1. They are far above any use. A run folder may come from
somebody else, and its config must be refused before anything of that size is allocated."""
_LAST_PORT = 65_535
_MOST_REPEATS, _MOST_IN_A_LIST, _MOST_CHARACTERS = 1_000, 100, 20_000


def check_seed(seed: int) -> None:
    """Raise UsageError for a seed that a random generator cannot take."""
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"--seed must lie between 0 and {MAX_SEED:,}, got {_short(seed)}.")


def check_port(port: int) -> None:
    """Raise UsageError for a number that cannot be a port."""
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"--port must lie between 0 and {_LAST_PORT}, got {_short(port)}.")


def check_counts(config: Any, *names: str) -> None:
    """Raise UsageError if one of the named counts is too small or too large; None is allowed."""
    for name in names:
        value = getattr(config, name)
        if value is not None:
            check_count(name, value)


def check_count(name: str, value: int) -> None:
    """Raise UsageError if the count called `name` is too small or too large."""
    if value < 1:
        raise UsageError(f"{_option(name)} must be at least 1, got {_short(value)}.")
    if value > _MOST[name]:
        raise UsageError(f"{_option(name)} must be at most {_MOST[name]:,}, got {_short(value)}.")


def check_repeats(config: Any, *names: str) -> None:
    """Raise UsageError if one of the named counts is negative or too large."""
    for name in names:
        value = getattr(config, name)
        if value > _MOST_REPEATS:
            raise UsageError(f"{_option(name)} must be at most {_MOST_REPEATS:,}.")
        if value < 0:
            raise UsageError(f"{_option(name)} must be 0 (none) or more, got {_short(value)}.")


def check_positive(config: Any, *names: str) -> None:
    """Raise UsageError if one of the named numbers is not above 0; None is allowed."""
    for name in names:
        value = getattr(config, name)
        if value is not None and not (value > 0.0 and math.isfinite(value)):
            raise UsageError(f"{_option(name)} must be above 0, got {value}.")


def check_list(option: str, values: tuple[object, ...]) -> None:
    """Raise UsageError for a list that is too long."""
    if len(values) > _MOST_IN_A_LIST:
        raise UsageError(f"{option} takes at most {_MOST_IN_A_LIST} values.")


def check_length(option: str, text: object) -> None:
    """Raise UsageError for a text that is too long."""
    if isinstance(text, str) and len(text) > _MOST_CHARACTERS:
        raise UsageError(
            f"{option} has {len(text):,} characters; the limit is {_MOST_CHARACTERS:,}."
        )


def _option(name: str) -> str:
    """Return the option of a setting, or the name of a setting that only Python has."""
    return name if name in ("attempts", "threads") else f"--{name.replace('_', '-')}"


def _short(value: float) -> str:
    """Return a number for a message; Python does not print integers of more than 4,300 digits."""
    return f"{value:,}" if abs(value) < 10**30 else "a number of more than 30 digits"

"""Limits of the numbers in a config."""

from __future__ import annotations

from typing import Any

from eureka_agent.errors import UsageError

MAX_SEED = 2**31 - 1
"""What is added to a seed (for evaluation and final trainings) stays below 2**32, NumPy's limit."""
_MOST = {
    "generations": 10_000,
    "samples": 10_000,
    "attempts": 1_000,
    "num_envs": 10_000_000,
    "environment_steps": 10**15,
    "threads": 4_096,
    "answer_tokens": 10**8,
    "max_tokens": 10**15,
    "concurrency": 10_000,
    "race_minimum": 10_000,
}
"""Largest allowed counts; the smallest is 1. They are far above any use. A run folder may come from
somebody else, and its config must be refused before anything of that size is allocated."""
_MOST_REPEATS, _MOST_IN_A_LIST, _MOST_CHARACTERS = 1_000, 100, 20_000


def check_seed(seed: int) -> None:
    """Raise UsageError for a seed that a random generator cannot take."""
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"--seed must lie between 0 and {MAX_SEED:,}, got {_short(seed)}.")


def check_sizes(config: Any) -> None:
    """Raise UsageError for a count of a `SynthesisConfig` that is too small or too large."""
    for name, most in _MOST.items():
        value = getattr(config, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1, got {_short(value)}.")
        if value is not None and value > most:
            raise UsageError(
                f"--{name.replace('_', '-')} must be at most {most:,}, got {_short(value)}."
            )
    for name in ("repairs", "examples", "final_seeds"):
        if getattr(config, name) > _MOST_REPEATS:
            raise UsageError(f"--{name.replace('_', '-')} must be at most {_MOST_REPEATS:,}.")
    for name in ("repairs", "examples"):
        if getattr(config, name) < 0:
            raise UsageError(
                f"--{name} must be 0 (none) or more, got {_short(getattr(config, name))}."
            )
    check_seed(config.seed)
    for name in ("models", "race_rungs", "race_keep"):
        if len(getattr(config, name)) > _MOST_IN_A_LIST:
            raise UsageError(f"--{name.replace('_', '-')} takes at most {_MOST_IN_A_LIST} values.")
    if isinstance(config.task, str) and len(config.task) > _MOST_CHARACTERS:
        raise UsageError(
            f"--task has {len(config.task):,} characters; the limit is {_MOST_CHARACTERS:,}."
        )


def _short(value: float) -> str:
    """Return a number for a message; Python does not print integers of more than 4,300 digits."""
    return f"{value:,}" if abs(value) < 10**30 else "a number of more than 30 digits"

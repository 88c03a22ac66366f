"""Refuses trainings that need more than the machine's memory, before any is allocated."""

from __future__ import annotations

import os

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.tasks.task import Task
from eureka_agent.training.budgets import training_budget

_FLOAT_BYTES = 4
_UNKNOWN_BYTES = 2**40
_ENV_BYTES = 2_000
"""The least memory that an environment needs, however small its model."""


def refuse_too_large(config: SynthesisConfig, task: Task) -> None:
    """Raise UsageError when a generation's training needs more than the machine's whole memory.

    The estimate is a lower bound: a training that passes may still be too large.
    """
    budget = training_budget(config, task)
    together = config.search.samples if config.training.trainer_name == "population" else 1
    per_step = 2 * task.action_size + 3  # action, its mean, reward, terminated, truncated
    num_envs = max(together, 2) * budget.num_envs  # there are two baselines
    needed = num_envs * (_ENV_BYTES + budget.horizon * per_step * _FLOAT_BYTES)
    if needed > (memory := _memory_bytes()):
        raise UsageError(
            f"{num_envs:,} environments at once need more than {needed / 2**30:,.0f} GiB, but this"
            f" machine has {memory / 2**30:,.0f}: lower --num-envs or --samples."
        )


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):  # this system does not say
        return _UNKNOWN_BYTES

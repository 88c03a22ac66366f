"""How many worker processes step the environments of a batch."""

from __future__ import annotations

import os

from eureka_agent.utils.cpu import cpu_count

_LEAST_S = 2.5e-3
"""Seconds of a step of all environments from which processes are worth their messages; measured by
`benchmarks/gymnasium_workers.py`."""


def workers_for(num_envs: int, step_s: float, threads: int | None) -> int:
    """Return a number of worker processes, or 0 if this process steps faster by itself.

    Args:
        num_envs: Number of environments.
        step_s: Seconds of one step of one environment.
        threads: The most processes, by default one per core.
    """
    most = min(num_envs, threads or cpu_count())
    if os.name != "posix" or most < 2 or num_envs * step_s < _LEAST_S:
        return 0
    return most

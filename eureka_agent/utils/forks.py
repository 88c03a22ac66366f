"""Forks of this process: what eureka_agent holds here works in none of them, so they are refused.

A fork has none of its parent's threads. Torch's pool and the loop that asks models would be waited
for without end, and a sealed process would answer parent and fork in turns.
"""

from __future__ import annotations

import os

from eureka_agent.errors import UsageError

_worked = False
"""Whether this process, or the one that it was forked from, holds threads or processes of ours."""
_forked = False


def begin_work() -> None:
    """Say that this process gets what no fork can use. Raises UsageError in a fork of a process
    that had it."""
    global _worked
    refuse_fork()
    _worked = True


def refuse_fork() -> None:
    """Raise UsageError in a fork of a process in which eureka_agent had begun to work."""
    if _forked:
        raise UsageError(
            "This process was forked from one in which eureka_agent had already worked, and a fork"
            " lacks its threads. Start processes with multiprocessing.get_context('spawn'), or fork"
            " before the first use."
        )


def _after_fork() -> None:
    global _forked
    _forked = _forked or _worked


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)

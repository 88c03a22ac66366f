"""Refuse to work in a fork of a process in which eureka_agent has already worked.

A fork has none of its parent's threads. It would wait forever for torch's pool and for the loop
that queries models, and a sealed process would answer the parent and the fork in turn.
"""

from __future__ import annotations

import os

from eureka_agent.errors import UsageError

_worked = False
"""Whether this process, or the one it was forked from, has threads or processes of ours."""
_forked = False


def begin_work() -> None:
    """Record that this process has started threads or processes. Raises as `refuse_fork` does."""
    global _worked
    refuse_fork()
    _worked = True


def refuse_fork() -> None:
    """Raise UsageError in a fork of a process in which `begin_work` was called."""
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

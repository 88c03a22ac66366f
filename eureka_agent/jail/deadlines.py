"""How long the trusted side waits for a process."""

from __future__ import annotations

import sys
import time

from eureka_agent.wire import Wait


def until(seconds: float) -> Wait:
    """Return a wait that ends `seconds` from now."""
    end = time.monotonic() + seconds
    return lambda: max(0.0, end - time.monotonic())


def processor_time_until(pid: int, seconds: float, *, patience: float = 10.0) -> Wait:
    """Return a wait that ends when process `pid` has used `seconds` more of processor time.

    So a busy machine is not held against a candidate. One that sleeps is given `patience` times as long on the
    wall clock, and so is every one where Linux's clocks of other processes do not exist.
    """
    wall = until(patience * seconds)
    try:
        end = _processor_time(pid) + seconds
    except OSError:  # where the process is gone, the channel says so at once
        return wall

    def wait() -> float:
        try:
            return max(0.0, min(end - _processor_time(pid), wall()))
        except OSError:
            return wall()

    return wait


def _processor_time(pid: int) -> float:
    """Return how many seconds of processor time a process has used. Raises OSError where nobody says so."""
    if sys.platform == "linux":
        return time.clock_gettime((~pid << 3) | 2)  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of the kernel
    else:
        raise OSError("only Linux has clocks of other processes")

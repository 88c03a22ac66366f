"""How long the trusted side waits for a process, and how much processor time the process has
used."""

from __future__ import annotations

import sys
import time

from eureka_agent.jail.ipc import Wait


def until(seconds: float) -> Wait:
    """Return a wait that ends `seconds` from now."""
    end = time.monotonic() + seconds
    return lambda: max(0.0, end - time.monotonic())


class ProcessorClock:
    """The processor time of another process, and the part of it that is charged already.

    What the process uses between two calls is charged to the next call. So one that answers and
    goes on computing gains nothing by it.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.used_s = 0.0
        """Processor time up to the last `charge`, in seconds; 0 where there is no clock of other
        processes."""

    def charge(self) -> None:
        """Count what the process has used until now."""
        try:
            self.used_s = _processor_time(self._pid)
        except OSError:  # where the process is gone, the channel says so
            return

    def until(self, seconds: float, *, patience: float = 10.0) -> Wait:
        """Return a wait that ends when the process has used `seconds` more than what is charged.

        So a busy machine is not held against a candidate. One that sleeps is given `patience` times
        as long on the wall clock, and so is every one where Linux's clocks of other processes do
        not exist.
        """
        sandbox, end = until(patience * seconds), self.used_s + seconds

        def wait() -> float:
            try:
                return max(0.0, min(end - _processor_time(self._pid), sandbox()))
            except OSError:
                return sandbox()

        return wait


def _processor_time(pid: int) -> float:
    """Return how many seconds of processor time a process has used. Raises OSError where nobody
    says so."""
    if sys.platform == "linux":
        return time.clock_gettime(
            (~pid << 3) | 2
        )  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of the kernel
    else:
        raise OSError("only Linux has clocks of other processes")

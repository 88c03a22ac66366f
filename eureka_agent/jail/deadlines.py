"""How long the trusted side waits for a process, and the processor time that it has used."""

from __future__ import annotations

import sys
import time

from eureka_agent.jail.ipc import Wait


def until(seconds: float) -> Wait:
    """Return a wait that ends `seconds` from now."""
    end = time.monotonic() + seconds
    return lambda: max(0.0, end - time.monotonic())


class ProcessorClock:
    """The processor time of another process, and the part of it that is already charged.

    What the process uses between two calls is charged to the next call, so a process that answers
    and then keeps computing gains nothing.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.used_s = 0.0
        """Seconds of processor time up to the last `charge`; 0 if the system does not tell."""

    def charge(self) -> None:
        """Count what the process has used until now."""
        try:
            self.used_s = _processor_time(self._pid)
        except OSError:  # if the process has ended, the channel reports it
            return

    def until(self, seconds: float, *, patience: float = 10.0) -> Wait:
        """Return a wait that ends when the process has used `seconds` of uncharged processor time.

        Processor time does not count a busy machine against a candidate. A process that sleeps gets
        `patience` times as long of real time. So does every process on systems without a clock
        of other processes.
        """
        wall_clock = until(patience * seconds)
        end = self.used_s + seconds

        def wait() -> float:
            try:
                return max(0.0, min(end - _processor_time(self._pid), wall_clock()))
            except OSError:
                return wall_clock()

        return wait


def _processor_time(pid: int) -> float:
    """Return the processor time of a process in seconds. Raises OSError if it is not known."""
    if sys.platform == "linux":
        # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of the kernel
        return time.clock_gettime((~pid << 3) | 2)
    else:
        raise OSError("only Linux has clocks of other processes")

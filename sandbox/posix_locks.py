"""The lockdown for any POSIX system: resource limits, each tried to see whether it is enforced.

None of them keeps code from calling what is already loaded, so they do not replace the filters of
the Linux kernel. Only the allow-list and the namespace are between a candidate and the user's
rights.
"""

from __future__ import annotations

import errno
import math
import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from .report import Report, attempt
from .self_check import posix_escapes, refusals, start_process

_LINUX_ONLY = dict.fromkeys(
    ("seccomp", "landlock", "capabilities", "no_new_privs", "memory limit"), "only on Linux"
)
_TEST_S = 2.0


@dataclass(frozen=True)
class PosixLockdown:
    """See `reward_child.Lockdown`."""

    parent: int

    def seal(self) -> Report:
        """Apply and try every limit; return for each layer why it does not hold."""
        steps: dict[str, Callable[[], None]] = {
            "processor limit": _try_processor_limit,
            "process limit": _forbid_processes,
            "descriptor limit": _forbid_descriptors,
        }
        here = {"static checks": "", "own process": ""}
        return here | {layer: attempt(step) for layer, step in steps.items()} | _LINUX_ONLY

    def allow(self, seconds: float) -> None:
        """Make the kernel end this process after `seconds` more processor time, rounded up."""
        _set(resource.RLIMIT_CPU, math.ceil(time.process_time() + seconds), keep_hard=True)

    def run_self_check(self) -> dict[str, bool]:
        """Return for each forbidden act whether it is refused."""
        return refusals(posix_escapes(self.parent))


def _forbid_descriptors() -> None:
    """Forbid to open files, sockets and pipes; those that are open stay open."""
    for which in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        _set(which, 0)
    _demand_refused(lambda: os.close(os.open("/", os.O_RDONLY)), errno.EMFILE)


def _forbid_processes() -> None:
    _set(resource.RLIMIT_NPROC, 0)
    _demand_refused(start_process, errno.EAGAIN)


def _try_processor_limit() -> None:
    """Set a limit that is already exceeded, and raise OSError unless the kernel sends the signal.

    The signal, SIGXCPU, ends a process that does not catch it.
    """
    signals: list[int] = []
    signal.signal(signal.SIGXCPU, lambda number, _: signals.append(number))
    try:
        end = time.process_time() + _TEST_S
        _set(resource.RLIMIT_CPU, max(1, math.floor(time.process_time())), keep_hard=True)
        while not signals and time.process_time() < end:
            pass
        _set(resource.RLIMIT_CPU, resource.RLIM_INFINITY, keep_hard=True)
    finally:
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    if not signals:
        raise OSError("set, and not enforced")


def _demand_refused(act: Callable[[], object], code: int) -> None:
    """Raise OSError if `act` is possible or fails for another reason."""
    try:
        act()
    except OSError as error:
        if error.errno == code:
            return
        raise
    raise OSError(
        "set, and not enforced on this user" if os.getuid() == 0 else "set, and not enforced"
    )


def _set(which: int, value: int, *, keep_hard: bool = False) -> None:
    """Set a limit, at most to the hard limit; with `keep_hard` it can be raised again."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = hard if value == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, hard if keep_hard else value))

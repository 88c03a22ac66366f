"""Limit memory and other resources, and close all descriptors but the channel."""

from __future__ import annotations

import errno
import mmap
import os
import resource
import sys

CHANNEL = 3
"""The descriptor of a reward process's channel; 0, 1 and 2 are /dev/null."""
_DESCRIPTORS = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
_OOM_SCORE = "/proc/self/oom_score_adj"


def keep_only_channel(channel: int) -> None:
    """Move `channel` to descriptor 3, point 0, 1 and 2 at /dev/null, and close everything else."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor, inheritable=False)
    if channel != CHANNEL:
        os.dup2(channel, CHANNEL, inheritable=False)
    for descriptor in [int(name) for name in os.listdir(_DESCRIPTORS)]:
        if descriptor > CHANNEL:
            _close(descriptor)


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:  # the descriptor that listed the folder is already closed
        return


def prefer_for_out_of_memory_kill() -> None:
    """Make this process the first that the kernel ends when the machine runs out of memory."""
    with open(_OOM_SCORE, "w") as file:
        file.write("1000")


def set_limits(memory_bytes: int) -> None:
    """Allow `memory_bytes` of address space in addition to what is mapped now.

    Core dumps, files, processes and new descriptors are forbidden.
    """
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    _limit(resource.RLIMIT_AS, mapped + memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_MEMLOCK, 0)
    # The next free number is 4: Landlock's own descriptor has to fit, and nothing after it.
    _limit(resource.RLIMIT_NOFILE, CHANNEL + 2)
    _demand_memory_limit(memory_bytes)


def _demand_memory_limit(memory_bytes: int) -> None:
    """Raise OSError if the kernel accepts the limit but does not enforce it.

    Then more memory than the limit can be mapped.
    """
    try:
        mmap.mmap(
            -1, memory_bytes + mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        ).close()
    except OSError as error:
        if error.errno == errno.ENOMEM:
            return
        raise
    raise OSError("a memory limit was set and is not enforced")


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))

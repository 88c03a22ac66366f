"""System call numbers, one table per machine architecture, of the calls that the lockdown names.

The numbers are from the kernel's `arch/x86/entry/syscalls/syscall_64.tbl` and
`include/uapi/asm-generic/unistd.h`.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """The system call numbers of one machine architecture."""

    audit: int
    """AUDIT_ARCH_… of `linux/audit.h`: the value that a seccomp filter sees."""
    numbers: Mapping[str, int]


_LANDLOCK = {
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}

_X86_64 = Architecture(
    0xC000003E,
    _LANDLOCK
    | {
        "read": 0, "write": 1, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13,
        "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25, "madvise": 28, "getpid": 39,
        "exit": 60, "kill": 62, "ptrace": 101, "capget": 125, "capset": 126, "gettid": 186, "futex": 202,
        "restart_syscall": 219, "clock_gettime": 228, "exit_group": 231, "tgkill": 234, "memfd_create": 319,
        "seccomp": 317, "io_uring_setup": 425,
    },
)  # fmt: skip

_AARCH64 = Architecture(
    0xC00000B7,
    _LANDLOCK
    | {
        "read": 63, "write": 64, "mmap": 222, "mprotect": 226, "munmap": 215, "brk": 214, "rt_sigaction": 134,
        "rt_sigprocmask": 135, "rt_sigreturn": 139, "sched_yield": 124, "mremap": 216, "madvise": 233,
        "getpid": 172, "exit": 93, "kill": 129, "ptrace": 117, "capget": 90, "capset": 91, "gettid": 178,
        "futex": 98, "restart_syscall": 128, "clock_gettime": 113, "exit_group": 94, "tgkill": 131,
        "memfd_create": 279, "seccomp": 277, "io_uring_setup": 425,
    },
)  # fmt: skip

_TABLES = {"x86_64": _X86_64, "aarch64": _AARCH64}


def architecture() -> Architecture:
    """Return this machine's table. Raises OSError if there is none."""
    machine = platform.machine()
    if machine not in _TABLES:
        raise OSError(f"no system call table for {machine} (there are: {', '.join(_TABLES)})")
    return _TABLES[machine]

"""The acts of `self_check.py`, and those that exist only on Linux."""

from __future__ import annotations

import ctypes
import os

from . import libc
from .limits import CHANNEL
from .self_check import Acts, posix_escapes
from .syscalls import architecture

_PR_SET_NAME = 15
_NAME = ctypes.create_string_buffer(b"x")


def linux_escapes(parent: int) -> Acts:
    """Return all acts that a sealed process tries."""
    numbers = architecture().numbers
    return {
        **posix_escapes(parent),
        "write a file": lambda: os.open("/tmp", os.O_WRONLY | os.O_TMPFILE, 0o600),
        "read its environment": lambda: os.open("/proc/self/environ", os.O_RDONLY),
        "read its parent's environment": lambda: os.open(f"/proc/{parent}/environ", os.O_RDONLY),
        "trace a process": lambda: libc.syscall("ptrace", numbers["ptrace"], 0, 0, 0, 0),
        "make a memory file": lambda: libc.syscall("memfd", numbers["memfd_create"], b"x", 0),
        "use io_uring": lambda: libc.syscall("io_uring", numbers["io_uring_setup"], 1, bytes(120)),
        "change its process attributes": lambda: libc.prctl(
            "name", _PR_SET_NAME, libc.address(_NAME)
        ),
        "resize the shared memory": lambda: os.ftruncate(CHANNEL, 0),
    }

"""What a sealed process must not be able to do, tried out by one.

The acts are tried through Python, by trusted code in a throw-away child that was sealed like any other. A layer
that says it holds and does not is found here, on the machine where it matters.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import signal
import socket
from collections.abc import Callable

from . import libc
from .limits import CHANNEL
from .syscalls import architecture

_REFUSED = {errno.EPERM, errno.EACCES, errno.EMFILE, errno.ENOSYS}
_PR_SET_NAME = 15


def self_check(parent: int) -> dict[str, bool]:
    """Try every act; return per act whether it was refused (True is good)."""
    return {name: _refused(act) for name, act in _acts(parent).items()}


def _refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError as error:
        return error.errno in _REFUSED
    return False


def _acts(parent: int) -> dict[str, Callable[[], object]]:
    numbers = architecture().numbers
    return {
        "read a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "write a file": lambda: os.open("/tmp", os.O_WRONLY | os.O_TMPFILE, 0o600),
        "list a folder": lambda: os.listdir("/"),
        "read its environment": lambda: os.open("/proc/self/environ", os.O_RDONLY),
        "read its parent's environment": lambda: os.open(f"/proc/{parent}/environ", os.O_RDONLY),
        "read standard input": lambda: os.read(0, 1),
        "write to standard output": lambda: os.write(1, b"x"),
        "open a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "open a local socket": lambda: socket.socketpair(),
        "open a pipe": os.pipe,
        "start a process": _fork,
        "run a program": lambda: os.execv("/nonexistent", ["nonexistent"]),  # ENOENT would mean: not refused
        "signal its parent": lambda: os.kill(parent, 0),
        "signal every process": lambda: os.kill(-1, 0),
        "trace a process": lambda: libc.syscall("ptrace", numbers["ptrace"], 0, 0, 0, 0),
        "make executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
        "make a memory file": lambda: libc.syscall("memfd", numbers["memfd_create"], b"x", 0),
        "use io_uring": lambda: libc.syscall("io_uring", numbers["io_uring_setup"], 1, bytes(120)),
        "change its process attributes": lambda: libc.prctl("name", _PR_SET_NAME, libc.address(_NAME)),
        "resize the shared memory": lambda: os.ftruncate(CHANNEL, 0),
    }


_NAME = ctypes.create_string_buffer(b"x")


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.kill(pid, signal.SIGKILL)

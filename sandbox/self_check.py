"""The self-check: try in a sealed process what no sealed process may do.

Trusted Python code tries the acts in a process that was sealed like any other and is then thrown
away. This finds a layer that claims to hold but does not, on the machine where it matters.
"""

from __future__ import annotations

import errno
import mmap
import os
import socket
from collections.abc import Callable, Mapping

Acts = Mapping[str, Callable[[], object]]

_REFUSED = {errno.EPERM, errno.EACCES, errno.EMFILE, errno.ENOSYS, errno.EAGAIN}


def refusals(acts: Acts) -> dict[str, bool]:
    """Try every act; return for each whether it was refused (True is good)."""
    return {name: _refused(act) for name, act in acts.items()}


def _refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError as error:
        return error.errno in _REFUSED
    return False


def posix_escapes(parent: int) -> Acts:
    """Return the acts that can be tried on any POSIX system."""
    return {
        "read a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "list a folder": lambda: os.listdir("/"),
        "read standard input": lambda: os.read(0, 1),
        "write to standard output": lambda: os.write(1, b"x"),
        "open a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "open a local socket": lambda: socket.socketpair(),
        "open a pipe": os.pipe,
        "start a process": start_process,
        # The error ENOENT would mean that it was not refused.
        "run a program": lambda: os.execv("/nonexistent", ["nonexistent"]),
        "signal its parent": lambda: os.kill(parent, 0),
        "signal every process": lambda: os.kill(-1, 0),
        "make executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    }


def start_process() -> None:
    """Start a process that ends at once, and wait: a late SIGCHLD would stop a traced process."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)

"""Remove the calls that only Linux has, in this process and in helper processes.

Tests use it to try on Linux what is written for macOS. Run as a script, it replaces the interpreter
of a helper process: `SCRIPT -I -m MODULE ARGUMENT`.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import runpy
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

_PYTHON = sys.executable
_MODULES = (ctypes, fcntl, os, resource, signal, time)
_ONLY_LINUX = (
    "memfd_create", "sched_getaffinity", "sched_setaffinity", "pidfd_open", "eventfd", "posix_fallocate", "splice",
    "getrandom", "listxattr", "O_TMPFILE", "MFD_CLOEXEC", "MFD_ALLOW_SEALING", "F_ADD_SEALS", "F_SEAL_SHRINK",
    "F_SEAL_GROW", "F_SEAL_SEAL", "prlimit", "pidfd_send_signal", "RLIMIT_OFILE",
)  # fmt: skip


@contextmanager
def without_linux(folder: Path) -> Iterator[None]:
    """Remove Linux's own calls from this process and from the helper processes that it starts.

    `folder` is for temporary files.
    """
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(_PYTHON)} -I {shlex.quote(__file__)} "$@"\n')
    python.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(python))
        patch.setattr(sys, "platform", "darwin")
        patch.setattr(time, "clock_gettime", _no_such_clock)
        # tempfile looked for O_TMPFILE when it was imported.
        patch.setattr(tempfile, "_O_TMPFILE_WORKS", False)
        for module, name in _linux_names():
            patch.delattr(module, name)
        yield


def _linux_names() -> Iterator[tuple[ModuleType, str]]:
    for module in _MODULES:
        yield from ((module, name) for name in _ONLY_LINUX if hasattr(module, name))


def _no_such_clock(clock: int) -> float:
    raise OSError(errno.EINVAL, f"no clock {clock}")


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: Python may not read /proc or load the C library to make system calls."""
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith("/proc"):
        raise RuntimeError(f"{event} {arguments[0]}: there is no /proc")
    if event == "ctypes.dlopen" and arguments[0] is None:
        raise RuntimeError("prctl and syscall are not for use")


def _main(module: str, argument: str) -> None:
    import torch  # noqa: F401  this build is for Linux, so it may use Linux's calls

    for owner, name in _linux_names():
        delattr(owner, name)
    time.clock_gettime = _no_such_clock
    sys.platform = "darwin"
    sys.addaudithook(_refuse)
    sys.argv = [module, argument]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main(*sys.argv[3:])

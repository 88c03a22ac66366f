"""Keeping other processes of the same user from reading this one's memory."""

from __future__ import annotations

import ctypes
import os
import sys
import threading

from eureka_agent.errors import SandboxError

_PR_SET_DUMPABLE = 4
_lock = threading.Lock()
_holders = 0


def forbid_inspection() -> None:
    """Make this process one that no other process of the user may trace or read (`PR_SET_DUMPABLE`,
    see prctl(2)).

    Sealed processes below the full level may make any system call. With this they cannot read the
    keys that this process holds. Debuggers cannot attach meanwhile, and there are no core dumps.
    `allow_inspection` takes it back. Does nothing elsewhere than on Linux. Raises SandboxError when
    the kernel refuses.
    """
    global _holders
    with _lock:
        _holders += 1
        _set_dumpable(False)


def allow_inspection() -> None:
    """Take one `forbid_inspection` back; the last one makes the process as others are."""
    global _holders
    with _lock:
        _holders -= 1
        if _holders == 0:
            _set_dumpable(True)


def _set_dumpable(value: bool) -> None:
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise SandboxError(
            f"The wall could not keep other processes out: {os.strerror(ctypes.get_errno())}."
        )

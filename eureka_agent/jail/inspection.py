"""Keep other processes of the same user from reading this process's memory."""

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
    """Keep the user's other processes from tracing or reading this one (`PR_SET_DUMPABLE`).

    Below the level `full`, sealed processes may make any system call; this keeps them from reading
    the keys that this process holds. Until `allow_inspection` undoes it, debuggers cannot attach
    and there are no core dumps. See prctl(2). Does nothing on systems other than Linux. Raises
    SandboxError if the kernel refuses.
    """
    global _holders
    with _lock:
        _holders += 1
        _set_dumpable(False)


def allow_inspection() -> None:
    """Undo one `forbid_inspection`; when all are undone, this process can be inspected again."""
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
            "The sandbox could not keep other processes from reading this one's memory:"
            f" {os.strerror(ctypes.get_errno())}."
        )

"""Give up privileges: capabilities, new privileges, inspection, outliving the parent."""

from __future__ import annotations

import ctypes
import os
import signal
import struct

from . import libc
from .syscalls import architecture

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_SECUREBITS = 1, 4, 24, 28
_PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS, _PR_CAPBSET_READ = 38, 39, 23
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_SECURE_BITS = 0xEF  # root has no special rights, and none of these bits can be cleared again
_CAPABILITY_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3: two words of 32 capabilities each


def forbid_new_privileges() -> None:
    """Never gain privileges by executing a file; seccomp and Landlock require this without root."""
    libc.prctl("no_new_privs", _PR_SET_NO_NEW_PRIVS, 1)
    if libc.prctl("no_new_privs", _PR_GET_NO_NEW_PRIVS) != 1:
        raise OSError("no_new_privs was set and does not read back")


def drop_capabilities() -> None:
    """Drop every capability, including those of root. Raises OSError if any is left.

    Root without CAP_SYS_PTRACE and CAP_PERFMON cannot read another process's memory or environment,
    and without CAP_DAC_OVERRIDE file modes apply to it as to any other user.
    """
    if _capabilities() != bytes(24):
        libc.prctl("secure bits", _PR_SET_SECUREBITS, _SECURE_BITS)
        for capability in range(64):
            if not _exists(capability):
                break
            libc.prctl("capability bounding set", _PR_CAPBSET_DROP, capability)
    libc.prctl("ambient capabilities", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    libc.syscall("capset", architecture().numbers["capset"], _header(), bytes(24))
    if _capabilities() != bytes(24):
        raise OSError("capabilities were dropped and some are still there")


def forbid_inspection() -> None:
    """Forbid core dumps, and keep the user's other processes from reading this one's memory."""
    libc.prctl("dumpable", _PR_SET_DUMPABLE, 0)


def allow_inspection() -> None:
    """Undo `forbid_inspection`, with which an unprivileged process cannot write its /proc files."""
    libc.prctl("dumpable", _PR_SET_DUMPABLE, 1)


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when `parent` ends; exit at once if it already has."""
    libc.prctl("parent death signal", _PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _exists(capability: int) -> bool:
    try:
        libc.prctl("capability bounding set", _PR_CAPBSET_READ, capability)
    except OSError:
        return False
    return True


def _capabilities() -> bytes:
    """Return the effective, permitted and inheritable sets, 24 bytes."""
    data = ctypes.create_string_buffer(24)
    libc.syscall("capget", architecture().numbers["capget"], _header(), data)
    return data.raw


def _header() -> bytes:
    return struct.pack("=Ii", _CAPABILITY_VERSION, 0)

"""Landlock: no file, no network connection, no signal or abstract socket beyond this process.

The second layer behind seccomp: an empty ruleset that handles every right this kernel knows and
grants none. See landlock(7).
"""

from __future__ import annotations

import ctypes
import os
import struct

from . import libc
from .syscalls import architecture

_VERSION_FLAG = 1
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many file-system rights each version of the interface has; versions above 5 have as many as
5."""
_NETWORK_SINCE, _NETWORK_RIGHTS = 4, 2
_SCOPES_SINCE, _SCOPES = 6, 2


def version() -> int:
    """Return the version of the kernel's Landlock interface; raises OSError where there is none."""
    number = architecture().numbers["landlock_create_ruleset"]
    return libc.syscall("Landlock", number, None, 0, _VERSION_FLAG)


def apply() -> None:
    """Take every right that Landlock handles from this process, for good. Needs no_new_privs."""
    numbers = architecture().numbers
    ruleset = libc.syscall("Landlock", numbers["landlock_create_ruleset"], *_ruleset(version()), 0)
    try:
        libc.syscall("Landlock", numbers["landlock_restrict_self"], ruleset, 0)
    finally:
        os.close(ruleset)


def _ruleset(version: int) -> tuple[ctypes.Array[ctypes.c_char], int]:
    """Return `struct landlock_ruleset_attr` with every right handled, and its size for this
    version."""
    rights = [(1 << _FILE_RIGHTS[min(version, max(_FILE_RIGHTS))]) - 1]
    if version >= _NETWORK_SINCE:
        rights.append((1 << _NETWORK_RIGHTS) - 1)
    if version >= _SCOPES_SINCE:
        rights.append((1 << _SCOPES) - 1)
    data = struct.pack(f"={len(rights)}Q", *rights)
    return ctypes.create_string_buffer(data, len(data)), len(data)

"""Landlock: no access to files, the network, or signals and abstract sockets of other processes.

It is a second layer behind seccomp: an empty ruleset handles every right that this kernel knows and
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
"""Number of file-system rights by version of the interface; later versions have as many as 5."""
_NETWORK_SINCE, _NETWORK_RIGHTS = 4, 2
_SCOPES_SINCE, _SCOPES = 6, 2


def version() -> int:
    """Return the version of the kernel's Landlock interface. Raises OSError if there is none."""
    number = architecture().numbers["landlock_create_ruleset"]
    return libc.syscall("Landlock", number, None, 0, _VERSION_FLAG)


def apply() -> None:
    """Take all rights that Landlock handles from this process, irreversibly.

    Needs no_new_privs. Raises OSError if the kernel refuses.
    """
    numbers = architecture().numbers
    ruleset = libc.syscall("Landlock", numbers["landlock_create_ruleset"], *_ruleset(version()), 0)
    try:
        libc.syscall("Landlock", numbers["landlock_restrict_self"], ruleset, 0)
    finally:
        os.close(ruleset)


def _ruleset(version: int) -> tuple[ctypes.Array[ctypes.c_char], int]:
    """Return `struct landlock_ruleset_attr` that handles every right, and its size."""
    rights = [(1 << _FILE_RIGHTS[min(version, max(_FILE_RIGHTS))]) - 1]
    if version >= _NETWORK_SINCE:
        rights.append((1 << _NETWORK_RIGHTS) - 1)
    if version >= _SCOPES_SINCE:
        rights.append((1 << _SCOPES) - 1)
    data = struct.pack(f"={len(rights)}Q", *rights)
    return ctypes.create_string_buffer(data, len(data)), len(data)

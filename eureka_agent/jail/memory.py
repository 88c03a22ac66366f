"""Anonymous memory that two processes share."""

from __future__ import annotations

import os
import sys
import tempfile

from eureka_agent.errors import SandboxError

if sys.platform == "linux":
    import fcntl

_PIECE_BYTES = 1 << 20


def anonymous_file(name: str) -> int:
    """Return the descriptor of an empty file without a name in any folder; on Linux in memory.

    Raises SandboxError if there is no room for one.
    """
    try:
        if sys.platform == "linux":
            return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        else:
            with tempfile.TemporaryFile() as file:
                return os.dup(file.fileno())
    except OSError as error:
        raise SandboxError(f"The sandbox could not create the file {name!r}: {error}.") from error


def shared_memory(size_bytes: int) -> int:
    """Return the descriptor of `size_bytes` zeros that two processes can map.

    On Linux it can neither shrink nor grow, so no access to it can fault. On other systems the
    zeros are written, so that a full disk fails here and not later with a fault. Raises
    SandboxError if there is no room.
    """
    descriptor = anonymous_file("reward")
    try:
        if sys.platform == "linux":
            os.ftruncate(descriptor, size_bytes)
            fcntl.fcntl(
                descriptor,
                fcntl.F_ADD_SEALS,
                fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL,
            )
        else:
            _write_zeros(descriptor, size_bytes)
    except OSError as error:
        os.close(descriptor)
        raise SandboxError(
            f"The sandbox could not get {size_bytes} bytes to share with a reward: {error}."
        ) from error
    return descriptor


def _write_zeros(descriptor: int, size_bytes: int) -> None:
    while size_bytes > 0:
        size_bytes -= os.write(descriptor, bytes(min(size_bytes, _PIECE_BYTES)))

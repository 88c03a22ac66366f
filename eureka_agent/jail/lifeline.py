"""Linux: a process that is still loading torch ends with the other side of its channel, too.

It reads nothing yet, so it would see only seconds later that its parent has gone. The kernel is
asked instead for SIGIO, which ends a process, at whatever happens on the channel; see
`sandbox/helper.py` for when that is over.
"""

from __future__ import annotations

import contextlib
import os
import sys

if sys.platform == "linux":
    import fcntl


def tie(descriptor: int) -> None:
    """Ask for the signal, which nobody gets yet; before the process is started, so that it can end
    this itself."""
    if sys.platform == "linux":
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)


def hand_over(descriptor: int, pid: int) -> None:
    """Let process `pid`, which was started with the channel, get the signal."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # it has ended already
            fcntl.fcntl(descriptor, fcntl.F_SETOWN, pid)

"""Linux: end a process that is still loading torch when the other side of its channel closes.

Such a process does not read its channel yet and would notice only seconds later that its parent has
ended. So the kernel is asked to send SIGIO, which ends the process, at any event on the channel.
`sandbox/helper.py` turns this off once the process is warm.
"""

from __future__ import annotations

import contextlib
import os
import sys

if sys.platform == "linux":
    import fcntl


def request_signal(descriptor: int) -> None:
    """Ask for the signal before the process starts, so that the process can turn it off itself.

    Until `direct_signal_to` no process receives it.
    """
    if sys.platform == "linux":
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)


def direct_signal_to(descriptor: int, pid: int) -> None:
    """Set the process that gets the signal from now on; this sends none.

    Args:
        descriptor: The parent's end of the channel.
        pid: The process that holds the other end.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # the process has already ended
            fcntl.fcntl(descriptor, fcntl.F_SETOWN, pid)

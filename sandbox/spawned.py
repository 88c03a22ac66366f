"""A helper process that becomes the reward process, for systems where torch cannot be forked.

Started with `python -I -m eureka_agent.sandbox.spawned DESCRIPTOR` and an environment that holds
nothing of its parent's. It gets one request on the control socket, `{"do": "start", "required"}`
with two descriptors, its channel and its shared memory, and answers `{"pid"}`. It does not need
Linux.
"""

from __future__ import annotations

import os
import socket
import sys

from eureka_agent.jail.ipc import pack

from .helper import preload, receive, report_failure
from .posix_locks import PosixLockdown
from .reward_child import run


def main(control: int) -> None:
    """Wait for the request on socket `control`, then serve a reward until its channel closes."""
    preload(control)
    with socket.socket(fileno=control) as connection:
        connection.sendall(pack({"warm": True}))
        received = receive(connection)
        if received is None:
            return
        request, (channel, memory) = received
        connection.sendall(pack({"pid": os.getpid()}))
    try:
        run(channel, memory, request["required"], PosixLockdown(os.getppid()))
    except Exception as error:  # noqa: BLE001  the trusted side shows it
        report_failure(channel, error)


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""The warm parent of all reward processes: it loads torch once and forks once per candidate.

Started with `python -I -m eureka_agent.sandbox.fork_server DESCRIPTOR` and an environment that
holds nothing of its parent's, so that its children inherit no key in memory. It never sees a
candidate's source: the trusted process sends that directly to the sealed child.

Requests on the control socket, each answered by one message:

- `{"do": "start", "memory_bytes", "required"}` with two descriptors, the child's channel and its
  shared memory; answer `{"pid"}` or `{"error"}`;
- `{"do": "end", "pid"}`: kill that child if it still runs, and reap it; answer `{"status"}`, its
  wait status.

It ends, and its children with it, when the control socket closes.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

from eureka_agent.jail.ipc import Message, pack

from . import privileges
from .helper import preload, receive, report_failure
from .lock_down import LinuxLockdown
from .reward_child import run


def main(control: int) -> None:
    """Serve requests on the socket with descriptor `control` until it closes."""
    privileges.forbid_inspection()  # otherwise children could read it below the level `full`
    preload(control)
    with socket.socket(fileno=control) as connection:
        connection.sendall(pack({"threads": len(os.listdir("/proc/self/task"))}))
        children: set[int] = set()
        while (received := receive(connection)) is not None:
            connection.sendall(pack(_handle(*received, children)))


def _handle(request: Message, descriptors: list[int], children: set[int]) -> Message:
    if request["do"] == "end":
        return {"status": _end(request["pid"], children)}
    try:
        pid = _fork(request, *descriptors)
    except OSError as error:
        return {"error": f"no process could be started: {error}"}
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    children.add(pid)
    return {"pid": pid}


def _fork(request: Message, channel: int, memory: int) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        run(channel, memory, request["required"], LinuxLockdown(request["memory_bytes"], parent))
    except BaseException as error:  # noqa: BLE001  nothing may return into the fork server's loop
        report_failure(channel, error)
    finally:
        os._exit(1)


def _end(pid: int, children: set[int]) -> int:
    if pid not in children:
        raise ValueError(f"process {pid} is not a child of the fork server")
    children.remove(pid)
    finished, status = os.waitpid(pid, os.WNOHANG)
    if not finished:
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    return status


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""The warm parent of all reward processes: torch loaded once, one fork a candidate.

Started with `python -I -m eureka_agent.sandbox.zygote DESCRIPTOR` and an environment that holds nothing of its
parent's, so that no key is in the memory its children inherit. It never sees a candidate's source: that goes
from the trusted process straight to the sealed child.

Requests on the control socket, each answered by one message:

- `{"do": "fork", "memory_bytes", "required"}` with two descriptors, the child's channel and its shared memory;
  answer `{"pid"}` or `{"error"}`;
- `{"do": "end", "pid"}`: kill that child if it still runs, and reap it; answer `{"status"}`, its wait status.

It ends when the control socket closes, and its children with it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
import sys
import warnings

import torch

from eureka_agent.wire import Channel, Message, pack, parse

from .reward_child import run
from .warm_up import warm_up


def main(control: int) -> None:
    """Serve requests on the socket with descriptor `control` until it closes."""
    torch.set_num_threads(1)  # before anything can start a pool: threads do not survive a fork
    # oneDNN compiles kernels at run time, and in a sealed process no new memory is executable.
    torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call]
    warnings.simplefilter("ignore")  # nobody reads them, and showing one would load modules
    warm_up()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=control) as connection:
        connection.sendall(pack({"threads": len(os.listdir("/proc/self/task"))}))
        children: set[int] = set()
        while (received := _receive(connection)) is not None:
            connection.sendall(pack(_carry_out(*received, children)))


def _receive(connection: socket.socket) -> tuple[Message, list[int]] | None:
    """Return the next request and its descriptors, or None at the end."""
    header, descriptors, _, _ = socket.recv_fds(connection, 4, 2)
    if len(header) < 4:
        return None
    (length,) = struct.unpack(">I", header)
    data = connection.recv(length, socket.MSG_WAITALL)
    return (parse(data), descriptors) if len(data) == length else None


def _carry_out(request: Message, descriptors: list[int], children: set[int]) -> Message:
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
        run(channel, memory, request, parent)
    except BaseException as error:  # noqa: BLE001  nothing may return into the zygote's loop
        _last_words(channel, error)
    finally:
        os._exit(1)


def _last_words(channel: int, error: BaseException) -> None:
    """Tell the trusted side why sealing failed, if the channel still carries it."""
    for descriptor in (channel, 3):
        try:
            Channel(descriptor).send({"failed": f"{type(error).__name__}: {error}"[:400]})
        except OSError:
            continue
        return


def _end(pid: int, children: set[int]) -> int:
    if pid not in children:
        raise ValueError(f"process {pid} is no child of the zygote")
    children.remove(pid)
    finished, status = os.waitpid(pid, os.WNOHANG)
    if not finished:
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    return status


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""Code shared by the helper processes: warm-up, receiving requests, reporting failures."""

from __future__ import annotations

import fcntl
import gc
import os
import socket
import struct
import warnings

import torch

from eureka_agent.jail.ipc import Channel, Message, parse

from .limits import CHANNEL
from .warm_up import warm_up


def preload(control: int) -> None:
    """Load and call once what a reward may need, on one thread so that the process can fork later.

    `control`: the descriptor on which requests arrive. Until now any event on it ended this
    process, because it could only mean that the other side had closed
    (`eureka_agent/jail/lifeline.py`). After this call the process reads it.
    """
    torch.set_num_threads(1)  # before anything can start a pool: threads do not survive a fork
    # oneDNN compiles kernels at run time, but in a sealed process no new memory is executable.
    torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    warnings.simplefilter("ignore")  # nobody reads them, and showing one loads modules
    warm_up()
    gc.collect()
    gc.freeze()
    fcntl.fcntl(control, fcntl.F_SETFL, fcntl.fcntl(control, fcntl.F_GETFL) & ~os.O_ASYNC)


def receive(connection: socket.socket) -> tuple[Message, list[int]] | None:
    """Return the next request and its descriptors, or None if the socket has closed."""
    header, descriptors, _, _ = socket.recv_fds(connection, 4, 2)
    if len(header) < 4:
        return None
    (length,) = struct.unpack(">I", header)
    data = connection.recv(length, socket.MSG_WAITALL)
    return (parse(data), descriptors) if len(data) == length else None


def report_failure(channel: int, error: BaseException) -> None:
    """Tell the trusted side why sealing failed, if the channel still works."""
    for descriptor in (channel, CHANNEL):
        try:
            Channel(descriptor).send({"failed": f"{type(error).__name__}: {error}"[:400]})
        except OSError:
            continue
        return

"""Communication with sealed processes: JSON messages of bounded size, tensors in shared memory.

Both sides import this module, so there is one definition of the format. Nothing is ever pickled: a
message is four bytes of length and that many bytes of JSON; tensors are float32 at offsets that
both sides compute from the layout.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from eureka_agent.rewards.runner import MAX_COMPONENTS

MAX_MESSAGE_BYTES = 256 * 1024
_FLOAT32_BYTES = 4
_LENGTH = struct.Struct(">I")
_READ_BYTES = 64 * 1024
"""Bytes to read at once: most messages are short, so one system call reads a whole message."""

SPIN_S = 0.0005
"""How long each side polls for a message before it sleeps: waking up outlasts most calls."""

Message = dict[str, Any]
Wait = Callable[[], float]
"""Returns the seconds to wait before it is called again; 0 when the time is over."""


class ProtocolError(Exception):
    """The other side sent something that is not a message."""


class Channel:
    """Messages over the file descriptor of a stream socket, which the channel owns."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._received = b""  # bytes of the next message that came with the last one

    def send(self, message: Message) -> None:
        """Send one message.

        Raises OSError (BrokenPipeError) if the other side has closed, ProtocolError if the message
        is too long.
        """
        data = pack(message)
        while data:
            data = data[os.write(self._descriptor, data) :]

    def receive(self, wait: Wait | None = None) -> Message | None:
        """Return the next message, or None if the other side has closed.

        With `wait`, raises TimeoutError once it returns 0. Raises ProtocolError for anything but a
        JSON object of bounded size.
        """
        header = self._read(_LENGTH.size, wait)
        if header is None:
            return None
        (length,) = _LENGTH.unpack(header)
        if length > MAX_MESSAGE_BYTES:
            raise ProtocolError(
                f"a message of {length} bytes, above the limit of {MAX_MESSAGE_BYTES}"
            )
        data = self._read(length, wait)
        return None if data is None else parse(data)

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self, length: int, wait: Wait | None) -> bytes | None:
        while len(self._received) < length:
            if wait is not None:
                self._poll(wait)
            try:
                piece = os.read(self._descriptor, _READ_BYTES)
            except ConnectionResetError:
                return None
            if not piece:
                return None
            self._received += piece
        data, self._received = self._received[:length], self._received[length:]
        return data

    def _poll(self, wait: Wait) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        if spin_wait(lambda: bool(poll.poll(0))):
            return
        while (seconds := wait()) > 0.0:
            if poll.poll(1000.0 * seconds):
                return
        raise TimeoutError


def spin_wait(ready: Callable[[], bool]) -> bool:
    """Call `ready` for up to `SPIN_S` until it is true, and return its last value.

    It yields the core to waiting processes between two calls.
    """
    end = time.perf_counter() + SPIN_S
    while not (now := ready()) and time.perf_counter() < end:
        os.sched_yield()
    return now


def pack(message: Message) -> bytes:
    """Encode a message: four bytes of length, big-endian, and JSON.

    Raises ProtocolError if it is longer than MAX_MESSAGE_BYTES.
    """
    data = json.dumps(message).encode()
    if len(data) > MAX_MESSAGE_BYTES:
        raise ProtocolError(
            f"a message of {len(data)} bytes, above the limit of {MAX_MESSAGE_BYTES}"
        )
    return _LENGTH.pack(len(data)) + data


def parse(data: bytes) -> Message:
    """Return the JSON object in `data`. Raises ProtocolError if it is not one."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("invalid JSON") from error
    if not isinstance(message, dict):
        raise ProtocolError("JSON that is not an object")
    return message


@dataclass(frozen=True)
class SharedBuffers:
    """Views into the shared memory, all `(max_rows, …)` float32."""

    inputs: Mapping[str, Tensor]
    reward: Tensor
    """`(max_rows,)`"""
    components: Tensor
    """`(MAX_COMPONENTS, max_rows)`, in the order of the component names."""
    doorbell: Tensor
    """`(1,)`: flipped after a message, so that a spinning process need not poll its socket."""


@dataclass(frozen=True)
class BufferLayout:
    """Where each tensor lies in the shared memory."""

    shapes: Mapping[str, tuple[int, ...]]
    """The inputs, in order, and their shapes without the row dimension."""
    max_rows: int

    @property
    def size_bytes(self) -> int:
        """The bytes of shared memory that this layout needs."""
        numbers_per_row = sum(prod(shape) for shape in self.shapes.values()) + 1 + MAX_COMPONENTS
        return _FLOAT32_BYTES * (self.max_rows * numbers_per_row + 1)

    def views(self, memory: mmap.mmap) -> SharedBuffers:
        """Return the tensors in `memory`, which they keep alive."""
        numbers = torch.frombuffer(
            memory, dtype=torch.float32, count=self.size_bytes // _FLOAT32_BYTES
        )
        sizes = [self.max_rows * prod(shape) for shape in self.shapes.values()]
        sizes += [self.max_rows, self.max_rows * MAX_COMPONENTS, 1]
        *inputs, reward, components, doorbell = torch.split(numbers, sizes)
        named = zip(self.shapes.items(), inputs, strict=True)
        return SharedBuffers(
            inputs={name: flat.view(self.max_rows, *shape) for (name, shape), flat in named},
            reward=reward,
            components=components.view(MAX_COMPONENTS, self.max_rows),
            doorbell=doorbell,
        )

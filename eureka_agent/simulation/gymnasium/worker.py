"""A worker process, which steps some environments of a batch; `WorkerPool` starts it.

It gets one message with what to run (`Work`), then one per step. It ends when its channel closes,
or when its parent has ended. Torch is not loaded.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import threading
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from eureka_agent.errors import UsageError
from eureka_agent.simulation.gymnasium.making import reason_of, register_again
from eureka_agent.simulation.gymnasium.recipe import Recipe
from eureka_agent.simulation.gymnasium.slots import Arrays, Slots

STEP, RESET = b"step", b"reset"
DONE = b""
"""The answer to a message that was carried out; any other answer says in words what failed."""
_WATCH_S = 1.0


@dataclass(frozen=True)
class Work:
    """What a worker runs."""

    recipe: Recipe
    rows: Sequence[int]
    """The environments that are its own, as rows of the arrays."""
    layout: dict[str, tuple[str, tuple[int, ...]]]
    """See `Arrays.layout`."""


def failure_of(error: Exception) -> bytes:
    """Return what went wrong, as a sentence."""
    if isinstance(error, UsageError):
        return str(error).encode()
    return f"The environment failed: {reason_of(error)}.".encode()


def main(channel: int, memory: int) -> None:
    """Step environments until the channel closes.

    Args:
        channel: Descriptor of the socket to the parent.
        memory: Descriptor of the memory with the arrays.
    """
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    warnings.simplefilter("ignore")
    with Connection(channel) as parent, contextlib.suppress(EOFError, BrokenPipeError):
        work: Work = parent.recv()
        buffer = mmap.mmap(memory, Arrays.bytes_of(work.layout))
        try:
            if work.recipe.registration is not None:
                register_again(work.recipe.registration)
            slots = Slots(work.recipe, work.rows, Arrays.over(buffer, work.layout))
        except Exception as error:  # noqa: BLE001 - the parent raises it
            parent.send_bytes(failure_of(error))
            return
        parent.send_bytes(DONE)
        while True:
            message = parent.recv_bytes()
            try:
                if message == STEP:
                    slots.step()
                else:
                    slots.reset()
            except Exception as error:  # noqa: BLE001 - the parent raises it
                parent.send_bytes(failure_of(error))
                return
            parent.send_bytes(DONE)


def _end_with_parent(parent: int) -> None:
    """End this process when its parent has ended, even while an environment computes."""
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)

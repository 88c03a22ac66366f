"""Systems on which a process with torch cannot fork safely: one helper process for each reward.

Such a process takes seconds to load torch, so a few are kept ready.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from eureka_agent.errors import SandboxError
from eureka_agent.jail.helper_process import Helper, HelperDiedError, ProcessHandle

_READY = 2


class SpawnedProcess(Helper):
    """A helper process that becomes the sealed process itself; see `sandbox/spawned.py`."""

    module = "eureka_agent.sandbox.spawned"
    hello: ClassVar = {"warm": True}

    def start(self, memory: int, *, memory_bytes: int, required: Iterable[str]) -> ProcessHandle:
        """See `Helper.start`; works once."""
        try:
            self.wait_until_warm()
            return super().start(memory, memory_bytes=memory_bytes, required=required)
        except BaseException:
            self.close()
            raise

    def end(self, handle: ProcessHandle) -> int:
        """See `Helper.end`."""
        handle.channel.close()
        self.close()
        assert self._process is not None
        return self._process.wait()


class SpawnPool:
    """Keeps a few processes ready to become sealed processes, and starts new ones; thread-safe."""

    alive = True
    """Always true: unlike a fork server, the pool cannot die and end its sealed processes."""

    def __init__(self) -> None:
        """Wait until the first process is ready. Raises SandboxError if that fails."""
        self._lock = threading.Lock()
        self._working: list[SpawnedProcess] = []
        self._ready: deque[SpawnedProcess] = deque()
        try:
            self._ready.extend(SpawnedProcess() for _ in range(_READY))
            self._ready[0].wait_until_warm()
        except BaseException:
            self.close()
            raise

    def start(self, memory: int, *, memory_bytes: int, required: Iterable[str]) -> ProcessHandle:
        """See `Helper.start`. Raises SandboxError."""
        for _ in range(_READY + 1):  # if all ready ones were killed, the next is a new one
            with contextlib.suppress(HelperDiedError):
                return self._next().start(memory, memory_bytes=memory_bytes, required=required)
        raise SandboxError(
            "The sandbox could not start a process: it ended before it was given a reward."
        )

    def _next(self) -> SpawnedProcess:
        with self._lock:
            self._ready.append(SpawnedProcess())
            process = self._ready.popleft()
            self._working = [each for each in self._working if each.alive] + [process]
        return process

    @property
    def pid(self) -> int:
        """Process id of the parent of all sealed processes: this process."""
        return os.getpid()

    def close(self) -> None:
        """End all processes; a second call does nothing."""
        for process in (*self._ready, *self._working):
            process.close()

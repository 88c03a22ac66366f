"""Systems on which a process that has loaded torch may not fork: a helper process for each reward.

Such a process takes seconds to load torch, so some are kept ready.
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

    def end(self, child: ProcessHandle) -> int:
        """See `Helper.end`."""
        child.channel.close()
        self.close()
        assert self._process is not None
        return self._process.wait()


class SpawnPool:
    """Makes sealed processes of a few that are ready, and gets new ones ready meanwhile; safe to
    use from threads."""

    alive = True
    """Unlike a fork server, it cannot die and take sealed processes with it."""

    def __init__(self) -> None:
        """Wait until the first is ready. Raises SandboxError when that fails."""
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
        for _ in range(_READY + 1):  # whatever killed those that were ready, the next one is new
            with contextlib.suppress(HelperDiedError):
                return self._next().start(memory, memory_bytes=memory_bytes, required=required)
        raise SandboxError(
            "The wall could not start a process: it ended before it had got a reward."
        )

    def _next(self) -> SpawnedProcess:
        with self._lock:
            self._ready.append(SpawnedProcess())
            single = self._ready.popleft()
            self._working = [each for each in self._working if each.alive] + [single]
        return single

    @property
    def pid(self) -> int:
        """Process id of the parent of all sealed processes: this one."""
        return os.getpid()

    def close(self) -> None:
        """End all processes; a second time does nothing."""
        for single in (*self._ready, *self._working):
            single.close()

"""Sealed processes: each forked from the helper process, sealed, and trusted with a job only then."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Collection

from eureka_agent.errors import WallError
from eureka_agent.jail.zygote import Child, Zygote, ZygoteGoneError, until
from eureka_agent.wire import Message, WireError

_SEAL_S = 30.0


class Sealer:
    """Starts and ends sealed processes; starts the helper process again when that has died.

    `required` are the layers that must hold in every process. A call of a reward may use `call_s` seconds of
    processor time, the first one `first_call_s`; a process may have `memory_mib` of memory.
    """

    def __init__(self, required: Collection[str], *, first_call_s: float, call_s: float, memory_mib: int) -> None:
        """Start the helper process; raises WallError when that fails."""
        self.first_call_s, self.call_s = first_call_s, call_s
        self._required = required
        self._memory_bytes = memory_mib << 20
        self._zygote = Zygote()

    @property
    def helper_pid(self) -> int:
        """Process id of the helper process."""
        return self._zygote.pid

    def start(self, memory: int, job: Message) -> Child:
        """Return a sealed process with its job, and the shared memory `memory` (a descriptor) mapped.

        Raises WallError when a required layer does not hold in it.
        """
        child, missing = self.seal(memory)
        if failed := [layer for layer in self._required if layer in missing]:
            self.end(child)
            raise WallError(f"The wall's layer {failed[0]!r} failed: {missing[failed[0]]}.")
        with contextlib.suppress(BrokenPipeError):  # the first call finds out how it ended
            child.channel.send(job)
        return child

    def seal(self, memory: int) -> tuple[Child, dict[str, str]]:
        """Return a sealed process, and the reason of every layer that does not hold in it.

        Raises WallError when it cannot be sealed at all.
        """
        child = self._fork(memory)
        report = self.ask(child, "layers")
        return child, {layer: reason for layer, reason in report.items() if reason}

    def ask(self, child: Child, key: str, request: Message | None = None) -> Message:
        """Return what a process that runs no candidate's code says under `key`, sending `request` first."""
        try:
            if request is not None:
                child.channel.send(request)
            answer = child.channel.receive(until(_SEAL_S)) or {"failed": "it died"}
        except (OSError, WireError) as error:
            answer = {"failed": str(error) or type(error).__name__}
        report = answer.get(key)
        if isinstance(report, dict):
            return report
        self.end(child)
        raise WallError(f"A process could not be sealed: {answer.get('failed', answer)}.")

    def end(self, child: Child) -> int | None:
        """Kill and reap a process; return its wait status, or None when the helper process had died before."""
        try:
            return child.zygote.end(child)
        except ZygoteGoneError:
            return None

    def close(self) -> None:
        """End the helper process and every sealed process with it."""
        self._zygote.close()

    def _fork(self, memory: int) -> Child:
        if self._zygote.alive:
            with contextlib.suppress(ZygoteGoneError):
                return self._zygote.fork(memory, memory_bytes=self._memory_bytes, required=self._required)
        self._zygote.close()
        self._zygote = Zygote()
        return self._zygote.fork(memory, memory_bytes=self._memory_bytes, required=self._required)


def shared_memory(size_bytes: int) -> int:
    """Return a descriptor of anonymous memory that can neither shrink nor grow, so no access to it can fault."""
    descriptor = os.memfd_create("reward", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size_bytes)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return descriptor

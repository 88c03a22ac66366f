"""Sealed processes: each started by a helper process, sealed, and trusted with a job only then."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Collection

from eureka_agent.errors import SandboxError
from eureka_agent.jail.deadlines import until
from eureka_agent.jail.fork_server import ForkServer
from eureka_agent.jail.helper_process import HelperDiedError, ProcessHandle
from eureka_agent.jail.ipc import Message, ProtocolError
from eureka_agent.jail.spawn import SpawnPool

_SEAL_S = 30.0


class ProcessManager:
    """Starts and ends sealed processes; starts the helper process again when that has died.

    `required` are the layers that must hold in every process. A call of a reward may use `call_s`
    seconds of processor time, the first one `first_call_s`; a process may have `memory_mib` of
    memory.
    """

    def __init__(
        self, required: Collection[str], *, first_call_s: float, call_s: float, memory_mib: int
    ) -> None:
        """Start the helper process; raises SandboxError when that fails."""
        self.first_call_s, self.call_s = first_call_s, call_s
        self._required = required
        self._memory_bytes = memory_mib << 20
        self._helper = _new_helper()

    @property
    def helper_pid(self) -> int:
        """Process id of the helper process, the parent of all sealed processes."""
        return self._helper.pid

    def start(self, memory: int, job: Message) -> ProcessHandle:
        """Return a sealed process with its job, and the shared memory `memory` (a descriptor)
        mapped.

        Raises SandboxError when a required layer does not hold in it.
        """
        child, report = self.seal(memory)
        if failed := [layer for layer in self._required if report[layer]]:
            self.end(child)
            raise SandboxError(f"The wall's layer {failed[0]!r} failed: {report[failed[0]]}.")
        with contextlib.suppress(BrokenPipeError):  # the first call finds out how it ended
            child.channel.send(job)
        return child

    def seal(self, memory: int) -> tuple[ProcessHandle, dict[str, str]]:
        """Return a sealed process, and for each layer why it does not hold in it; empty where it
        does.

        Raises SandboxError when it cannot be sealed at all.
        """
        child = self._start(memory)
        return child, self.ask(child, "layers")

    def ask(self, child: ProcessHandle, key: str, request: Message | None = None) -> Message:
        """Return what a process that runs no candidate's code says under `key`, sending `request`
        first."""
        try:
            if request is not None:
                child.channel.send(request)
            answer = child.channel.receive(until(_SEAL_S)) or {"failed": "it died"}
        except (OSError, ProtocolError) as error:
            answer = {"failed": str(error) or type(error).__name__}
        report = answer.get(key)
        if isinstance(report, dict):
            return report
        self.end(child)
        raise SandboxError(f"A process could not be sealed: {answer.get('failed', answer)}.")

    def end(self, child: ProcessHandle) -> int | None:
        """Kill and reap a process; return its exit code, or None when the helper process had died
        before."""
        try:
            return child.helper.end(child)
        except HelperDiedError:
            return None

    def close(self) -> None:
        """End the helper process and every sealed process with it."""
        self._helper.close()

    def _start(self, memory: int) -> ProcessHandle:
        if self._helper.alive:
            with contextlib.suppress(HelperDiedError):
                return self._helper.start(
                    memory, memory_bytes=self._memory_bytes, required=self._required
                )
        self._helper.close()
        self._helper = _new_helper()
        return self._helper.start(memory, memory_bytes=self._memory_bytes, required=self._required)


def _new_helper() -> ForkServer | SpawnPool:
    return ForkServer() if sys.platform == "linux" else SpawnPool()

"""Start and end sealed processes: a process gets its job only after it has sealed itself."""

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
    """Starts and ends sealed processes; restarts the helper process if it has died.

    `required` are the layers that must hold in every process. A call of a reward may use `call_s`
    seconds of processor time, the first one `first_call_s`; a process may use `memory_mib` of
    memory.
    """

    def __init__(
        self, required: Collection[str], *, first_call_s: float, call_s: float, memory_mib: int
    ) -> None:
        """Start the helper process. Raises SandboxError if that fails."""
        self.first_call_s = first_call_s
        self.call_s = call_s
        self._required = required
        self._memory_bytes = memory_mib << 20
        self._helper = _new_helper()

    @property
    def helper_pid(self) -> int:
        """Process id of the helper process, the parent of all sealed processes."""
        return self._helper.pid

    def start(self, memory: int, job: Message) -> ProcessHandle:
        """Start a sealed process that maps `memory` (a descriptor) and does `job`.

        Raises SandboxError if a required layer does not hold in it.
        """
        handle, report = self.start_sealed(memory)
        if failed := [layer for layer in self._required if report[layer]]:
            self.end(handle)
            raise SandboxError(f"The sandbox's layer {failed[0]!r} failed: {report[failed[0]]}.")
        with contextlib.suppress(BrokenPipeError):  # the first call reports how it ended
            handle.channel.send(job)
        return handle

    def start_sealed(self, memory: int) -> tuple[ProcessHandle, dict[str, str]]:
        """Start a sealed process; also return why each layer does not hold (empty if it does).

        Raises SandboxError if the process cannot be sealed at all.
        """
        handle = self._start(memory)
        return handle, self.ask(handle, "layers")

    def ask(self, handle: ProcessHandle, key: str, request: Message | None = None) -> Message:
        """Return `key` of the next answer of a process that does not run a candidate's code yet.

        `request` is sent first. Without such an answer the process is ended. Raises SandboxError.
        """
        try:
            if request is not None:
                handle.channel.send(request)
            answer = handle.channel.receive(until(_SEAL_S)) or {"failed": "it died"}
        except (OSError, ProtocolError) as error:
            answer = {"failed": str(error) or type(error).__name__}
        report = answer.get(key)
        if isinstance(report, dict):
            return report
        self.end(handle)
        raise SandboxError(f"A process could not be sealed: {answer.get('failed', answer)}.")

    def end(self, handle: ProcessHandle) -> int | None:
        """Kill and reap a process; return its exit code, or None if the helper process had died."""
        try:
            return handle.helper.end(handle)
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

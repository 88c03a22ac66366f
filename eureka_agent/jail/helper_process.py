"""A helper process as the trusted side sees it: it loads torch and provides sealed processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from eureka_agent.errors import SandboxError
from eureka_agent.jail.deadlines import until
from eureka_agent.jail.ipc import Channel, Message, ProtocolError, pack
from eureka_agent.jail.lifeline import direct_signal_to, request_signal
from eureka_agent.jail.memory import anonymous_file
from eureka_agent.utils.forks import begin_work

_START_S = 120.0  # torch from a cold disk
_ANSWER_S = 30.0
_INHERITED = ("LD_LIBRARY_PATH",)
"""Some systems need it to find torch's libraries; it holds nothing secret."""
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


_HELPERS: weakref.WeakSet[Helper] = weakref.WeakSet()


class HelperDiedError(SandboxError):
    """Raised when the helper process has died, and all its sealed processes with it."""


@dataclass(frozen=True)
class ProcessHandle:
    """A running sealed process."""

    pid: int
    channel: Channel
    helper: Helper
    """The helper process that started it; only this one can end and reap it."""


class Helper(ABC):
    """A helper process; thread-safe. The module in `sandbox/` says how it handles requests."""

    module: ClassVar[str]
    hello: ClassVar[Mapping[str, object]]
    """The message that it sends when it is warm."""

    def __init__(self) -> None:
        """Start it; it needs a few seconds to get warm. Raises SandboxError if it cannot start."""
        begin_work()
        self._lock = threading.Lock()
        self._closed = False
        self._warm = False
        self._owner = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket, theirs = socket.socketpair()
        self._channel = Channel(os.dup(self._socket.fileno()))
        self._errors = -1
        _HELPERS.add(self)
        try:
            self._errors = anonymous_file("helper-stderr")
            self._start(theirs)
        except BaseException:
            self.close()
            raise

    def _start(self, theirs: socket.socket) -> None:
        """Start the process in a thread, so that Ctrl-C cannot leave a process without owner."""
        failures: list[OSError] = []

        def start() -> None:
            try:
                with theirs:
                    process = self._popen(theirs.fileno())
            except OSError as error:
                failures.append(error)
                return
            # `close` does the same two steps in the other order, so one of the two ends the
            # process. A lock could stay locked forever: Ctrl-C may come between taking it and
            # entering the block that releases it.
            self._process = process
            if self._closed:
                self._kill()

        starting = threading.Thread(target=start, name="start helper")
        try:
            starting.start()
            starting.join()
        except BaseException:
            self._closed = True
            if starting.ident is not None:
                starting.join()
            raise
        if failures:
            raise SandboxError(
                f"The sandbox could not start {sys.executable!r}: {failures[0]}."
            ) from failures[0]

    def _popen(self, descriptor: int) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        request_signal(descriptor)
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", self.module, str(descriptor)],
            env=environment | _ENVIRONMENT,
            pass_fds=(descriptor,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            cwd="/",
            start_new_session=True,
        )
        direct_signal_to(descriptor, process.pid)
        return process

    def wait_until_warm(self) -> None:
        """Wait until the process is warm; if it does not get warm, end it.

        Raises SandboxError; HelperDiedError if it was killed.
        """
        if self._warm:
            return
        try:
            hello = self._channel.receive(until(_START_S))
        except (TimeoutError, ProtocolError) as error:
            hello = {"failure": str(error) or f"no answer in {_START_S:.0f} s"}
        self._warm = hello == self.hello
        if not self._warm:
            raise self._failed_start(hello)

    def _failed_start(self, hello: Message | None) -> SandboxError:
        os.lseek(self._errors, 0, os.SEEK_SET)
        output = os.read(self._errors, 1 << 16).decode(errors="replace").strip()
        self.close()
        assert self._process is not None
        if hello is None and self._process.returncode < 0:
            return HelperDiedError(
                f"The sandbox's helper process was killed (signal {-self._process.returncode}),"
                " most likely because the machine ran out of memory: end other programs, or lower"
                " --num-envs or --samples."
            )
        reason = output.splitlines()[-1] if output else f"it sent {hello}, expected {self.hello}"
        return SandboxError(
            f"The sandbox's helper process ({self.module}) did not start: {reason}."
        )

    def start(self, memory: int, *, memory_bytes: int, required: Iterable[str]) -> ProcessHandle:
        """Start a process that maps the shared memory `memory` (a descriptor) and seals itself.

        Raises HelperDiedError if the helper process has died, SandboxError if no process can be
        started.
        """
        ours, theirs = socket.socketpair()
        request = {"do": "start", "memory_bytes": memory_bytes, "required": [*required]}
        with theirs, ours:
            answer = self._request(request, theirs.fileno(), memory)
            if not isinstance(answer.get("pid"), int):
                raise SandboxError(f"The sandbox could not start a process: {answer.get('error')}.")
            return ProcessHandle(answer["pid"], Channel(ours.detach()), self)

    @abstractmethod
    def end(self, handle: ProcessHandle) -> int:
        """Kill a sealed process if it still runs; return its exit code (minus a killing signal)."""

    def _request(self, request: Message, *descriptors: int) -> Message:
        with self._lock:
            try:
                # A request is small, so one send takes all of it.
                socket.send_fds(self._socket, [pack(request)], descriptors)
                answer = self._channel.receive(until(_ANSWER_S))
            except (OSError, ProtocolError) as error:  # TimeoutError is an OSError
                self._kill()
                raise HelperDiedError(f"The sandbox's helper process failed: {error}.") from error
            except BaseException:  # after Ctrl-C the next request would read this one's answer
                self._kill()
                raise
        if answer is None:
            self._kill()
            raise HelperDiedError("The sandbox's helper process has died.")
        return answer

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The helper process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the helper process still runs."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End the helper process and all its children; a second call does nothing."""
        self._closed = True
        self._release()
        if self._owner == os.getpid():  # a fork of this process must not end it
            self._kill()

    def _release(self) -> None:
        """Close all descriptors; the process ends by itself when its channel has no other end."""
        self._channel.close()
        self._socket.close()
        errors, self._errors = self._errors, -1
        if errors >= 0:
            os.close(errors)

    def __del__(self) -> None:
        """End the process with the last reference, so that no exception leaves a process behind."""
        if "_errors" in self.__dict__:
            self.close()


def _after_fork() -> None:
    """Release all helpers in a fork, which would keep them alive after this process ends."""
    for helper in tuple(_HELPERS):
        helper._release()


if hasattr(os, "register_at_fork"):  # Windows has no fork; `Sandbox` refuses it with a message
    os.register_at_fork(after_in_child=_after_fork)

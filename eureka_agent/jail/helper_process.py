"""The trusted side's hold on a helper process: torch loaded, and sealed processes for the
asking."""

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
from eureka_agent.jail.lifeline import hand_over, tie
from eureka_agent.jail.memory import anonymous_file
from eureka_agent.utils.forks import begin_work

_START_S = 120.0  # torch from a cold disk
_ANSWER_S = 30.0
_PASSED_ON = ("LD_LIBRARY_PATH",)
"""Some systems find torch's libraries only by this; it says nothing secret."""
_ALONE = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


_HELPERS: weakref.WeakSet[Helper] = weakref.WeakSet()


class HelperDiedError(SandboxError):
    """The helper process has ended, and every sealed process of it."""


@dataclass(frozen=True)
class ProcessHandle:
    """A sealed process."""

    pid: int
    channel: Channel
    helper: Helper
    """The only one that can end and reap it."""


class Helper(ABC):
    """A helper process; safe to use from threads. What it does with requests: the module in
    `sandbox/`."""

    module: ClassVar[str]
    hello: ClassVar[Mapping[str, object]]
    """What it says when it is warm."""

    def __init__(self) -> None:
        """Start it; it takes a few seconds to be warm. Raises SandboxError when that fails."""
        begin_work()
        self._lock = threading.Lock()
        self._closed = self._warm = False
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
        """Start the process in a thread, which Ctrl-C cannot interrupt: no process is ever without
        an owner."""
        failures: list[OSError] = []

        def start() -> None:
            try:
                with theirs:
                    process = self._popen(theirs.fileno())
            except OSError as error:
                failures.append(error)
                return
            # `close` does the same two steps the other way round, so one of the two ends the
            # process. A lock could stay locked for good: Ctrl-C may come between taking it and the
            # block that gives it back.
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
                f"The wall could not start {sys.executable!r}: {failures[0]}."
            ) from failures[0]

    def _popen(self, descriptor: int) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        tie(descriptor)
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", self.module, str(descriptor)],
            env=environment | _ALONE,
            pass_fds=(descriptor,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            cwd="/",
            start_new_session=True,
        )
        hand_over(descriptor, process.pid)
        return process

    def wait_until_warm(self) -> None:
        """Raises SandboxError, and ends the process, when it does not get warm; HelperDiedError
        when it was killed."""
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
        words = os.read(self._errors, 1 << 16).decode(errors="replace").strip()
        self.close()
        assert self._process is not None
        if hello is None and self._process.returncode < 0:
            return HelperDiedError(
                f"The wall's helper process was killed ({self._process.returncode}), most likely"
                " because the machine ran out of memory: end other programs, or lower --num-envs"
                " or --samples."
            )
        reason = words.splitlines()[-1] if words else f"it said {hello}, expected {self.hello}"
        return SandboxError(f"The wall's helper process ({self.module}) did not start: {reason}.")

    def start(self, memory: int, *, memory_bytes: int, required: Iterable[str]) -> ProcessHandle:
        """Return a process that seals itself, with the shared memory `memory` (a descriptor)
        mapped.

        Raises HelperDiedError when the helper process has ended, SandboxError when it cannot start
        one.
        """
        ours, theirs = socket.socketpair()
        request = {"do": "start", "memory_bytes": memory_bytes, "required": [*required]}
        with theirs, ours:
            answer = self._request(request, theirs.fileno(), memory)
            if not isinstance(answer.get("pid"), int):
                raise SandboxError(f"The wall could not start a process: {answer.get('error')}.")
            return ProcessHandle(answer["pid"], Channel(ours.detach()), self)

    @abstractmethod
    def end(self, child: ProcessHandle) -> int:
        """Kill a child if it still runs; return its exit code, which is minus the signal that
        killed it."""

    def _request(self, request: Message, *descriptors: int) -> Message:
        with self._lock:
            try:
                # A request is small: one send takes all of it.
                socket.send_fds(self._socket, [pack(request)], descriptors)
                answer = self._channel.receive(until(_ANSWER_S))
            except (OSError, ProtocolError) as error:  # TimeoutError is an OSError
                self._kill()
                raise HelperDiedError(f"The wall's helper process broke: {error}.") from error
            except BaseException:  # Ctrl-C: its answer would be taken for that to the next request
                self._kill()
                raise
        if answer is None:
            self._kill()
            raise HelperDiedError("The wall's helper process has ended.")
        return answer

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End it and all its children; a second time does nothing."""
        self._closed = True
        self._let_go()
        if self._owner == os.getpid():  # a fork of this process has no say in it
            self._kill()

    def _let_go(self) -> None:
        """Close all descriptors; it ends by itself when nobody holds the other end of its
        channel."""
        self._channel.close()
        self._socket.close()
        errors, self._errors = self._errors, -1
        if errors >= 0:
            os.close(errors)

    def __del__(self) -> None:
        """End it when nobody has it any more, so that an exception at whatever moment leaves no
        process behind."""
        if "_errors" in self.__dict__:
            self.close()


def _after_fork() -> None:
    """Let go of all helpers in a fork, which would keep them alive when this process ends."""
    for helper in tuple(_HELPERS):
        helper._let_go()


if hasattr(os, "register_at_fork"):  # Windows has no fork, and a sentence of its own
    os.register_at_fork(after_in_child=_after_fork)

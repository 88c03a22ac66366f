"""The trusted side's hold on the zygote: starting it, asking it for sealed processes, ending them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from eureka_agent.errors import WallError
from eureka_agent.wire import Channel, Message, Wait, WireError, pack

_MODULE = "eureka_agent.sandbox.zygote"
_START_S = 120.0  # torch from a cold disk
_ANSWER_S = 30.0
_PASSED_ON = ("LD_LIBRARY_PATH",)
"""Some systems find torch's libraries only by this; it says nothing secret."""
_ALONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


class ZygoteGoneError(WallError):
    """The zygote has ended, and every sealed process with it."""


@dataclass(frozen=True)
class Child:
    """A sealed process."""

    pid: int
    channel: Channel
    zygote: Zygote
    """The only process that can end and reap it."""


class Zygote:
    """The warm parent process; see `sandbox/zygote.py` for what it does with requests. Safe to use from threads."""

    def __init__(self) -> None:
        """Start it and wait until it is warm (a few seconds). Raises WallError when that fails."""
        self._lock = threading.Lock()
        self._errors = os.memfd_create("zygote-stderr")
        self._socket, theirs = socket.socketpair()
        self._channel = Channel(os.dup(self._socket.fileno()))
        self._process: subprocess.Popen[bytes] | None = None
        with theirs:
            self._process = self._start(theirs.fileno())
        try:
            hello = self._channel.receive(until(_START_S))
        except (TimeoutError, WireError) as error:
            hello = {"failure": str(error) or f"no answer in {_START_S:.0f} s"}
        if hello != {"threads": 1}:
            raise self._failed_start(hello)

    def _start(self, descriptor: int) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-m", _MODULE, str(descriptor)],
                env=environment | _ALONE,
                pass_fds=(descriptor,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            self.close()
            raise WallError(f"The wall could not start {sys.executable!r}: {error}.") from error

    def _failed_start(self, hello: Message | None) -> WallError:
        os.lseek(self._errors, 0, os.SEEK_SET)
        words = os.read(self._errors, 1 << 16).decode(errors="replace").strip()
        self.close()
        reason = words.splitlines()[-1] if words else f"it said {hello}, expected one thread"
        return WallError(f"The wall's helper process ({_MODULE}) did not start: {reason}.")

    def fork(self, memory: int, *, memory_bytes: int, required: Iterable[str]) -> Child:
        """Return a new process that seals itself, with the shared memory `memory` (a descriptor) mapped.

        Raises ZygoteGoneError when the zygote has ended, WallError when it cannot fork.
        """
        ours, theirs = socket.socketpair()
        request = {"do": "fork", "memory_bytes": memory_bytes, "required": [*required]}
        with theirs, ours:
            answer = self._request(request, theirs.fileno(), memory)
            if not isinstance(answer.get("pid"), int):
                raise WallError(f"The wall could not start a process: {answer.get('error')}.")
            return Child(answer["pid"], Channel(ours.detach()), self)

    def end(self, child: Child) -> int:
        """Kill a child if it still runs; return how it ended (the status of waitpid(2))."""
        child.channel.close()
        status = self._request({"do": "end", "pid": child.pid})["status"]
        assert isinstance(status, int)
        return status

    def _request(self, request: Message, *descriptors: int) -> Message:
        with self._lock:
            try:
                # A request is small: one send takes all of it.
                socket.send_fds(self._socket, [pack(request)], descriptors)
                answer = self._channel.receive(until(_ANSWER_S))
            except (OSError, WireError) as error:  # TimeoutError is an OSError
                self._kill()
                raise ZygoteGoneError(f"The wall's helper process broke: {error}.") from error
        if answer is None:
            self._kill()
            raise ZygoteGoneError("The wall's helper process has ended.")
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
        self._channel.close()
        self._socket.close()
        if self._errors >= 0:
            os.close(self._errors)
            self._errors = -1
        self._kill()


def until(seconds: float) -> Wait:
    """Return a wait that ends `seconds` from now."""
    end = time.monotonic() + seconds
    return lambda: max(0.0, end - time.monotonic())


def processor_time_until(pid: int, seconds: float, *, patience: float = 10.0) -> Wait:
    """Return a wait that ends when process `pid` has used `seconds` more of processor time.

    So a busy machine is not held against a candidate. One that sleeps is given `patience` times as long on the
    wall clock.
    """
    clock = (~pid << 3) | 2  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of the kernel
    wall = until(patience * seconds)
    try:
        end = time.clock_gettime(clock) + seconds
    except OSError:  # the process is gone: the channel says so at once
        return wall

    def wait() -> float:
        try:
            return max(0.0, min(end - time.clock_gettime(clock), wall()))
        except OSError:
            return wall()

    return wait

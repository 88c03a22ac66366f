"""The trusted side of calls to a sealed process."""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import signal
from collections.abc import Mapping
from typing import TypeGuard

from torch import Tensor

from eureka_agent.errors import RewardRuntimeError, SandboxError
from eureka_agent.jail.deadlines import ProcessorClock
from eureka_agent.jail.helper_process import ProcessHandle
from eureka_agent.jail.ipc import BufferLayout, Message, ProtocolError, SharedBuffers
from eureka_agent.jail.memory import shared_memory
from eureka_agent.jail.process_manager import ProcessManager
from eureka_agent.rewards.runner import (
    MAX_COMPONENT_NAME,
    MAX_COMPONENTS,
    RewardBatch,
    not_finite,
    reward_failed,
)
from eureka_agent.text import one_line

_MAX_TEXT = 300


class SandboxProcess:
    """A process that computes the rewards of one candidate, and nothing else.

    After any error the process is gone, and later calls raise the same error again.
    """

    def __init__(
        self, process_manager: ProcessManager, layout: BufferLayout, job: Message, *, code: str = ""
    ) -> None:
        """Start it. Raises SandboxError if it cannot be sealed.

        `code`: the source that line numbers in its messages refer to.
        """
        self.component_names: tuple[str, ...] = ()
        """Set by the first call; they never change afterwards."""
        self._process_manager = process_manager
        self._layout = layout
        self._job = job
        self._code = code
        self._memory = shared_memory(layout.size_bytes)
        self._buffers: SharedBuffers | None = layout.views(mmap.mmap(self._memory, 0))
        self._handle: ProcessHandle | None = None
        self._failure: str | None = None
        self._rows: int | None = None
        self._calls = 0
        self._sent = 0
        self._used_before_s = 0.0
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        self._handle = self._process_manager.start(self._memory, self._job)
        self._clock = ProcessorClock(self._handle.pid)
        self._calls = 0  # the first call of a new process may take longer

    @property
    def processor_s(self) -> float:
        """Seconds of processor time that all calls have used; 0 if the system does not tell."""
        return self._used_before_s + self._clock.used_s

    @property
    def pid(self) -> int | None:
        """Process id of the sealed process, or None if it has ended."""
        return self._handle.pid if self._handle else None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The state variables that the reward reads; a state must have all of them."""
        return tuple(self._layout.shapes)

    def __call__(self, state: Mapping[str, Tensor]) -> RewardBatch:
        """Return the rewards of `state`: `submit`, then `collect`, with their errors."""
        self.submit(state)
        return self.collect()

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """Start a call without waiting for it.

        Args:
            state: Tensors `(rows, *shape)` on any device; those in `parameters` are copied.

        Raises:
            RewardRuntimeError: The reward has failed before.
            ValueError: The state does not fit, the reward is closed, or the last call has not been
                collected.
        """
        if self._failure is not None:
            raise RewardRuntimeError(self._failure)
        if self._buffers is None:
            raise ValueError("this reward is closed")
        if self._rows is not None:
            raise ValueError("collect() the last call before the next submit()")
        rows = self._count_rows(state)
        for name, shared in self._buffers.inputs.items():
            shared[:rows].copy_(state[name])
        self._rows = rows
        self._send({"rows": rows})

    def collect(self) -> RewardBatch:
        """Wait for the answer to the last `submit`.

        Returns:
            The reward and its components, finite and copied out of the shared memory.

        Raises:
            RewardRuntimeError: The reward raised an exception, took too long, broke its contract
                (shapes, names), was not finite, or its process died.
            SandboxError: The helper process died twice during this call.
            ValueError: No state has been submitted.
        """
        if self._rows is None or self._buffers is None:
            raise ValueError("submit() a state before collect()")
        names = self._names(self._answer())
        rows, self._rows = self._rows, None
        # Copy first and check the copy: the sealed process can still write to the shared memory.
        reward = self._buffers.reward[:rows].clone()
        columns = self._buffers.components[: len(names), :rows].clone()
        batch = RewardBatch(reward, dict(zip(names, columns.unbind(), strict=True)))
        if (wrong := not_finite(batch)) is not None:
            raise self._fail(wrong)
        self.component_names = names
        self._calls += 1
        return batch

    def close(self) -> None:
        """End the sealed process and free the shared memory; a second call does nothing."""
        self._buffers = None
        if self._handle is not None:
            self._process_manager.end(self._handle)
            self._handle = None
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    # ------------------------------------------------------------------ a call
    def _count_rows(self, state: Mapping[str, Tensor]) -> int:
        """Return the number of rows of all tensors. Raises ValueError if the state does not fit."""
        rows = len(state[self.parameters[0]]) if self.parameters[0] in state else 0
        if rows > self._layout.max_rows:
            raise ValueError(f"a call takes at most {self._layout.max_rows} rows, not {rows}")
        for name, shape in self._layout.shapes.items():
            got = tuple(state[name].shape) if name in state else None
            if got != (rows, *shape):
                raise ValueError(f"the state's {name!r} has shape {got}, expected {(rows, *shape)}")
        return rows

    @property
    def _seconds(self) -> float:
        """The processor time that the current call may use."""
        return self._process_manager.call_s if self._calls else self._process_manager.first_call_s

    def _send(self, request: Message) -> None:
        assert self._handle is not None
        self._request = request
        self._wait = self._clock.until(self._seconds)
        self._nonce = secrets.token_hex(8)  # no answer can be sent before the request
        with contextlib.suppress(BrokenPipeError):  # collect() reports how it ended
            self._handle.channel.send(request | {"seconds": self._seconds, "nonce": self._nonce})
        if self._buffers is not None:
            self._sent += 1
            self._buffers.doorbell.fill_(self._sent % 2)

    def _answer(self, *, again: bool = True) -> Message:
        assert self._handle is not None
        try:
            answer = self._handle.channel.receive(self._wait)
        except TimeoutError:
            raise self._fail(_describe_exit(-signal.SIGXCPU, self._seconds)) from None
        except ProtocolError as error:
            raise self._fail(f"its process answered with {error}") from error
        self._clock.charge()
        if answer is not None:
            if answer.get("nonce") == self._nonce:
                return answer
            # The process could not be sealed and has seen no request: ignore what else it says.
            if "failed" in answer:
                raise self._fail(self._reason({"failed": answer["failed"]}))
            raise self._fail("its process sent an answer that belongs to no request")
        handle, self._handle = self._handle, None
        code = self._process_manager.end(handle)
        if code is not None:
            raise self._fail(_describe_exit(code, self._seconds))
        if not again:
            raise SandboxError(
                "The sandbox's helper process died twice during one call of a reward."
            )
        # The helper process died and this one with it, which is not the candidate's fault. A reward
        # is pure and its inputs are still in the shared memory, so the call is simply repeated.
        self._used_before_s += self._clock.used_s
        self._start()
        self._send(self._request)
        return self._answer(again=False)

    def _names(self, answer: Message) -> tuple[str, ...]:
        """Return the component names of an answer; anything else in it is a failure."""
        names = answer.get("names")
        if _are_names(names) and self.component_names in ((), tuple(names)):
            return tuple(names)
        raise self._fail(self._reason(answer))

    def _reason(self, answer: Message) -> str:
        """Return the failure that the sealed process reports as one sentence; it is untrusted."""
        if "broke" in answer:
            return _shown(answer["broke"])
        if "raised" not in answer:
            return f"its process failed ({_shown(answer.get('failed', 'an invalid answer'))})"
        line = answer.get("line")
        lines = self._code.splitlines()
        where = ""
        if isinstance(line, int) and 0 < line <= len(lines):
            where = f" on line {line} ({_shown(lines[line - 1])})"
        return f"{_shown(answer['raised'])}{where}: {_shown(answer.get('message', ''))}"

    def _fail(self, reason: str) -> RewardRuntimeError:
        error = reward_failed(reason)
        self._failure = str(error)
        self._rows = None
        self.close()
        return error


def _are_names(names: object) -> TypeGuard[list[str]]:
    return (
        isinstance(names, list)
        and len(names) <= MAX_COMPONENTS
        and all(
            isinstance(n, str) and 0 < len(n) <= MAX_COMPONENT_NAME and n.isprintable()
            for n in names
        )
        and len(set(names)) == len(names)
    )


def _shown(text: object) -> str:
    return one_line(str(text), _MAX_TEXT)


def _describe_exit(code: int, seconds: float) -> str:
    """Say how a process with this exit code ended in a call with `seconds` of processor time."""
    if code >= 0:
        return "it ended its own process"
    if -code == signal.SIGXCPU:
        return f"it used more than {seconds:g} s of processor time in one call"
    if -code == signal.SIGKILL:
        return "its process was killed, most likely because the machine ran out of memory"
    if -code == signal.SIGSYS:
        return "its process was killed for a system call that no reward needs"
    return f"its process crashed ({signal.Signals(-code).name})"

"""Calls of a sealed process, as the trusted side makes them."""

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

_MAX_TEXT = 300


class SandboxProcess:
    """A process that computes the rewards of one candidate, and nothing else.

    After any error the process is gone, and later calls raise the same error again.
    """

    def __init__(
        self, process_manager: ProcessManager, layout: BufferLayout, job: Message, *, code: str = ""
    ) -> None:
        """Start it. `code`: what line numbers in its messages mean. Raises SandboxError when it
        cannot be sealed."""
        self.component_names: tuple[str, ...] = ()
        """Known after the first call; the same ones ever after."""
        self._process_manager, self._layout, self._job, self._code = (
            process_manager,
            layout,
            job,
            code,
        )
        self._memory = shared_memory(layout.size_bytes)
        self._exchange: SharedBuffers | None = layout.views(mmap.mmap(self._memory, 0))
        self._child: ProcessHandle | None = None
        self._failure: str | None = None
        self._rows: int | None = None
        self._calls = self._sent = 0
        self._used_before_s = 0.0
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        self._child = self._process_manager.start(self._memory, self._job)
        self._clock = ProcessorClock(self._child.pid)
        self._calls = 0  # the first call of a new process may take longer

    @property
    def processor_s(self) -> float:
        """Seconds of processor time that all calls have used; 0 where the system has no clock that
        says so."""
        return self._used_before_s + self._clock.used_s

    @property
    def pid(self) -> int | None:
        """Process id of the sealed process, or None when it has ended."""
        return self._child.pid if self._child else None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that a state must have: every state variable that the reward reads."""
        return tuple(self._layout.shapes)

    def __call__(self, state: Mapping[str, Tensor]) -> RewardBatch:
        """Return the rewards of `state`: `submit`, then `collect`."""
        self.submit(state)
        return self.collect()

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """Start a call: copy what the reward reads out of `state`, tensors `(rows, *shape)` on any
        device.

        Raises RewardRuntimeError when the reward has failed before, ValueError for a state that
        does not fit.
        """
        if self._failure is not None:
            raise RewardRuntimeError(self._failure)
        if self._exchange is None:
            raise ValueError("this reward is closed")
        if self._rows is not None:
            raise ValueError("collect() the last call before the next submit()")
        rows = self._count_rows(state)
        for name, shared in self._exchange.inputs.items():
            shared[:rows].copy_(state[name])
        self._rows = rows
        self._send({"rows": rows})

    def collect(self) -> RewardBatch:
        """Wait for the answer to the last `submit` and return it.

        Raises RewardRuntimeError: the reward raised an exception, took too long, broke its contract
        (shapes, names), was not finite, or its process died.
        """
        if self._rows is None or self._exchange is None:
            raise ValueError("submit() a state before collect()")
        names = self._names(self._answer())
        rows, self._rows = self._rows, None
        # Copy first, then judge the copy: the sealed process could still write to the shared
        # memory.
        reward = self._exchange.reward[:rows].clone()
        columns = self._exchange.components[: len(names), :rows].clone()
        batch = RewardBatch(reward, dict(zip(names, columns.unbind(), strict=True)))
        if (wrong := not_finite(batch)) is not None:
            raise self._fail(wrong)
        self.component_names = names
        self._calls += 1
        return batch

    def close(self) -> None:
        """End the sealed process and free the shared memory; a second time does nothing."""
        self._exchange = None
        if self._child is not None:
            self._process_manager.end(self._child)
            self._child = None
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    # ------------------------------------------------------------------ a call
    def _count_rows(self, state: Mapping[str, Tensor]) -> int:
        """Return the number of rows that all tensors share; ValueError when the state does not
        fit."""
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
        """How much processor time the present call may use."""
        return self._process_manager.call_s if self._calls else self._process_manager.first_call_s

    def _send(self, request: Message) -> None:
        assert self._child is not None
        self._request = request
        self._wait = self._clock.until(self._seconds)
        self._nonce = secrets.token_hex(8)  # no answer can be sent before the request
        with contextlib.suppress(BrokenPipeError):  # collect() finds out how it ended
            self._child.channel.send(request | {"seconds": self._seconds, "nonce": self._nonce})
        if self._exchange is not None:
            self._sent += 1
            self._exchange.doorbell.fill_(self._sent % 2)

    def _answer(self, *, again: bool = True) -> Message:
        assert self._child is not None
        try:
            answer = self._child.channel.receive(self._wait)
        except TimeoutError:
            raise self._fail(_death(-signal.SIGXCPU, self._seconds)) from None
        except ProtocolError as error:
            raise self._fail(f"its process answered with {error}") from error
        self._clock.charge()
        if answer is not None:
            if answer.get("nonce") == self._nonce:
                return answer
            if (
                "failed" in answer
            ):  # it could not be sealed, and has seen no request; nothing else in it counts
                raise self._fail(self._complaint({"failed": answer["failed"]}))
            raise self._fail("its process sent an answer that belongs to no request")
        child, self._child = self._child, None
        code = self._process_manager.end(child)
        if code is not None:
            raise self._fail(_death(code, self._seconds))
        if not again:
            raise SandboxError("The wall's helper process died twice during one call of a reward.")
        # The helper process died and took this one with it, which is not the candidate's fault. A
        # reward is pure and its inputs are still in the shared memory, so the call can simply be
        # made again.
        self._used_before_s += self._clock.used_s
        self._start()
        self._send(self._request)
        return self._answer(again=False)

    def _names(self, answer: Message) -> tuple[str, ...]:
        """Return the component names of an answer; whatever else it says ends the reward."""
        names = answer.get("names")
        if _are_names(names) and self.component_names in ((), tuple(names)):
            return tuple(names)
        raise self._fail(self._complaint(answer))

    def _complaint(self, answer: Message) -> str:
        """Put what the sealed process says went wrong into one sentence; nothing in it is taken at
        its word."""
        if "broke" in answer:
            return _clean(answer["broke"])
        if "raised" not in answer:
            return (
                f"its process broke ({_clean(answer.get('failed', 'a message that is no answer'))})"
            )
        line = answer.get("line")
        lines = self._code.splitlines()
        where = ""
        if isinstance(line, int) and 0 < line <= len(lines):
            where = f" on line {line} ({_clean(lines[line - 1])})"
        return f"{_clean(answer['raised'])}{where}: {_clean(answer.get('message', ''))}"

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


def _clean(text: object) -> str:
    """Return untrusted text as one line of printable characters, shortened."""
    line = " ".join(str(text).split())
    line = "".join(character for character in line if character.isprintable())
    return line if len(line) <= _MAX_TEXT else f"{line[: _MAX_TEXT - 1]}…"


def _death(code: int, seconds: float) -> str:
    """Say how a process with this exit code ended in a call that might use `seconds` of processor
    time."""
    if code >= 0:
        return "it ended its own process"
    if -code == signal.SIGXCPU:
        return f"it used more than {seconds:g} s of processor time in one call"
    if -code == signal.SIGKILL:
        return "its process was killed, most likely because the machine ran out of memory"
    if -code == signal.SIGSYS:
        return "its process was killed for a system call that no reward can need"
    return f"its process crashed ({signal.Signals(-code).name})"

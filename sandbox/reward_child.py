"""The untrusted process: it seals itself, then runs one reward function on the rows it gets."""

from __future__ import annotations

import json
import mmap
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, Protocol

import torch
from torch import Tensor

from eureka_agent.checks import REWARD_FILE, CheckedCode, compile_checked
from eureka_agent.errors import CheckError, GraphError
from eureka_agent.jail.ipc import (
    MAX_MESSAGE_BYTES,
    BufferLayout,
    Channel,
    Message,
    SharedBuffers,
    spin_wait,
)
from eureka_agent.rewards.runner import MAX_COMPONENT_NAME, MAX_COMPONENTS

from . import limits
from .graph_export import Graph, NoGraphError, record
from .graph_runner import GraphRunner
from .namespace import namespace

_MAX_MESSAGE = 400


class _ContractError(Exception):
    """The reward ran but broke the contract; the message says how."""


class Lockdown(Protocol):
    """The layers of an operating system: `LinuxLockdown` or `PosixLockdown`."""

    def seal(self) -> dict[str, str]:
        """Apply all layers irreversibly; return for each why it does not hold, empty if it does."""

    def allow(self, seconds: float) -> None:
        """Start a call, which may use `seconds` of processor time."""

    def run_self_check(self) -> dict[str, bool]:
        """Return for each forbidden act whether it is refused."""


def run(channel: int, memory: int, required: Collection[str], lockdown: Lockdown) -> NoReturn:
    """Seal this process, report which layers hold, and serve until the channel closes.

    `channel` and `memory` are descriptors. The process ends if a layer in `required` does not hold.
    """
    shared = mmap.mmap(memory, 0)
    limits.keep_only_channel(channel)
    os.environ.clear()
    report = lockdown.seal()
    messages = Channel(limits.CHANNEL)
    messages.send({"layers": report})
    if any(report[layer] for layer in required):
        os._exit(1)
    job = messages.receive()
    if job is not None and job["do"] == "self_check":
        messages.send({"acts": lockdown.run_self_check()})
    elif job is not None:
        _serve(messages, shared, job, lockdown)
    os._exit(0)


def _serve(messages: Channel, shared: mmap.mmap, job: Message, lockdown: Lockdown) -> None:
    layout = BufferLayout({name: tuple(shape) for name, shape in job["shapes"]}, job["max_rows"])
    buffers = layout.views(shared)
    reward: _Reward | GraphRunner
    if job["do"] == "graph":
        reward = GraphRunner(job["graph"], layout.shapes, buffers)
    else:
        reward = _Reward(job["code"], job["checked"], job["constants"], buffers)
    while (request := messages.receive()) is not None:
        lockdown.allow(request["seconds"])
        answer, last_seen = _answer(reward, request), float(buffers.doorbell)
        messages.send(answer | {"nonce": request["nonce"]})
        spin_wait(lambda: float(buffers.doorbell) != last_seen)  # noqa: B023  called before the next turn


def _answer(reward: _Reward | GraphRunner, request: Message) -> Message:
    try:
        if "graph" in request and isinstance(reward, _Reward):
            return {"graph": reward.graph(request["graph"])}
        return {"names": reward(request["rows"])}
    except _ContractError as error:
        return {"broke": str(error)[:_MAX_MESSAGE]}
    except (NoGraphError, GraphError) as error:
        return {"broke": f"it has no graph: {error}"[:_MAX_MESSAGE]}
    except CheckError as error:
        return {"broke": f"the code does not pass the checks: {error}"[:_MAX_MESSAGE]}
    except BaseException as error:  # noqa: BLE001  the candidate may raise anything, SystemExit included
        kind = type(error).__name__
        return {"raised": kind, "message": _text(error), "line": _line(error.__traceback__)}


@dataclass
class _Reward:
    """One candidate's function, compiled at the first call so that the answer can report errors.

    Its inputs are copied for each call, so it may write into them without effect. Its module runs
    again in every call, so that it cannot keep anything from one call to the next.
    """

    code: str
    checked: bool
    constants: dict[str, float]
    buffers: SharedBuffers
    compiled: CheckedCode | None = None
    names: list[str] | None = None

    def __call__(self, rows: int) -> list[str]:
        """Compute the first `rows` rows; return the component names in the buffers' order."""
        function, inputs = self._load(), self._inputs(rows)
        reward, components = _pair(function(**inputs, **self.constants))
        names = _component_names(components)
        if self.names not in (None, names):
            raise _ContractError(
                f"its components changed between calls, from {self.names} to {names}"
            )
        self.names = names
        self.buffers.reward[:rows] = _column("the reward", reward, rows, scalar=False)
        for index, name in enumerate(names):
            column = _column(f"component {name!r}", components[name], rows, scalar=True)
            self.buffers.components[index, :rows] = column
        return names

    def graph(self, counts: Sequence[int]) -> Graph:
        """Return the operations of the reward, recorded for each of `counts` rows."""
        graph = record(self._pair_of, self._inputs(max(counts)), counts)
        if len(json.dumps(graph)) > MAX_MESSAGE_BYTES // 2:
            raise NoGraphError("it is too long")
        return graph

    def _pair_of(self) -> Callable[..., tuple[Tensor, dict[str, object]]]:
        function = self._load()
        return lambda **inputs: _pair(function(**inputs, **self.constants))

    def _inputs(self, rows: int) -> dict[str, Tensor]:
        return {name: values[:rows].clone() for name, values in self.buffers.inputs.items()}

    def _load(self) -> Callable[..., Any]:
        self.compiled = self.compiled or self._compile()
        variables: dict[str, Any] = (
            namespace(self.compiled.imports) if self.checked else {"__name__": "reward"}
        )
        exec(self.compiled.code, variables)
        function: Callable[..., Any] = variables["compute_reward"]
        return function

    def _compile(self) -> CheckedCode:
        if self.checked:
            return compile_checked(self.code)
        return CheckedCode(compile(self.code, REWARD_FILE, "exec", dont_inherit=True), {})


def _pair(result: object) -> tuple[Tensor, dict[str, object]]:
    """Return reward and components; a reward without a pair has none."""
    expected = "it must return the pair (reward, components)"
    if isinstance(result, Tensor):
        return result, {}
    if not isinstance(result, tuple | list) or len(result) != 2:
        size = f" of {len(result)}" if isinstance(result, tuple | list) else ""
        raise _ContractError(
            f"{expected}: a tensor and a dictionary, not {type(result).__name__}{size}"
        )
    reward, components = result
    if not isinstance(reward, Tensor) or not isinstance(components, dict):
        got = f"({type(reward).__name__}, {type(components).__name__})"
        raise _ContractError(f"{expected}: a tensor and a dictionary of tensors, not {got}")
    return reward, components


def _component_names(components: dict[str, object]) -> list[str]:
    if len(components) > MAX_COMPONENTS:
        raise _ContractError(
            f"it returned {len(components)} components; at most {MAX_COMPONENTS} are allowed"
        )
    for name in components:
        if (
            not isinstance(name, str)
            or not 0 < len(name) <= MAX_COMPONENT_NAME
            or not name.isprintable()
        ):
            text = repr(name)[:80]
            raise _ContractError(
                f"the component name {text} is not allowed: use 1 to {MAX_COMPONENT_NAME} printable"
                " characters"
            )
    return list(components)


def _column(what: str, value: object, rows: int, *, scalar: bool) -> Tensor:
    """Return `(rows,)` float32; with `scalar`, one number is accepted for all rows."""
    if isinstance(value, int | float) and scalar:
        return torch.full((rows,), float(value))
    if not isinstance(value, Tensor):
        raise _ContractError(f"{what} is {type(value).__name__}, not a tensor of shape ({rows},)")
    if value.is_complex():
        raise _ContractError(f"{what} is complex; it must be real")
    value = value.detach().to(torch.float32)
    if scalar and value.dim() == 0:
        return value.expand(rows)
    if tuple(value.shape) != (rows,):
        hint = _SHAPE_HINTS.get(value.dim(), "")
        raise _ContractError(
            f"{what} has shape {tuple(value.shape)}, expected ({rows},), one number per row{hint}"
        )
    return value


_SHAPE_HINTS = {
    0: "; reduce over the last dimension (dim=-1), not over the rows",
    2: "; reduce over the last dimension (dim=-1) or use .squeeze(-1)",
}


def _text(error: BaseException) -> str:
    """Return the first line of an exception's message, without a library's stack traces."""
    text = re.split(r"\n|Exception raised from", str(error).strip(), maxsplit=1)[0]
    return text.strip()[:_MAX_MESSAGE]


def _line(traceback: TracebackType | None) -> int:
    """Return the innermost line of the candidate's source in a traceback; 0 if there is none."""
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == REWARD_FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line

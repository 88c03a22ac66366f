"""One candidate's reward function in its sealed process, as trusted code uses it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from eureka_agent.errors import GraphError, RewardRuntimeError
from eureka_agent.jail.ipc import BufferLayout
from eureka_agent.jail.process_manager import ProcessManager
from eureka_agent.jail.sandbox_process import SandboxProcess
from eureka_agent.records import RewardSource
from eureka_agent.rewards.graph import RewardGraph
from eureka_agent.rewards.graph_format import parse_graph
from eureka_agent.rewards.runner import RewardBatch
from eureka_agent.tasks.task import StateSpec


class SandboxedReward(SandboxProcess):
    """One candidate's reward function in a sealed process; a `RewardRunner`. See `Sandbox.open`.

    `submit` and `collect` make a call, and so does calling the object. After any error the process
    is gone, and later calls raise the same error again.
    """

    def __init__(
        self,
        process_manager: ProcessManager,
        reward: RewardSource,
        spec: StateSpec,
        max_rows: int,
        *,
        checked: bool,
    ) -> None:
        self.reward = reward
        self.spec = spec
        layout = BufferLayout(
            {n: spec.shapes[n] for n in reward.parameters if n in spec.shapes}, max_rows
        )
        job = {
            "do": "reward",
            "code": reward.code,
            "checked": checked,
            "shapes": list(layout.shapes.items()),
            "constants": {
                n: float(spec.constants[n]) for n in reward.parameters if n in spec.constants
            },
            "max_rows": max_rows,
        }
        super().__init__(process_manager, layout, job, code=reward.code)

    def graph(
        self, state: Mapping[str, Tensor], counts: Collection[int] = ()
    ) -> CheckedGraph | None:
        """Return the reward as a list of operations that trusted code can run on any device.

        A reward has a graph if it makes the same, allowed operations for each number of rows,
        whatever the values are, and if that list gives the reward's own results in a second sealed
        process.

        Args:
            state: Sample states `(rows, *shape)`, repeated to the numbers of rows.
            counts: The numbers of rows for which the graph may run; by default those of `state` and
                `max_rows`.

        Returns:
            The graph with the results that were compared, or None if the reward has no graph.

        Raises:
            RewardRuntimeError: The reward itself fails, as in a call.
        """
        tried = sorted({*(counts or (self._count_rows(state), self._layout.max_rows))})
        known = {name: state[name].detach().cpu() for name in self.parameters}
        states = [_repeated(known, count) for count in tried]
        # The last state, with the most rows, is the one that is recorded.
        expected = [self(each) for each in states]
        self._send({"graph": tried})
        data = self._answer().get("graph")
        try:
            graph = parse_graph(data, dict(self._layout.shapes))
            got = self._run_sealed(data, tried[-1], states)
        except (GraphError, RewardRuntimeError):
            return None
        same = all(_same(one, other) for one, other in zip(expected, got, strict=True))
        return CheckedGraph(graph, tuple(tried), tuple(expected)) if same else None

    def _run_sealed(
        self, data: Any, max_rows: int, states: list[dict[str, Tensor]]
    ) -> list[RewardBatch]:
        """Return the results of the graph `data` in a sealed process with its own limits."""
        process = sealed_graph(
            self._process_manager, data, BufferLayout(self._layout.shapes, max_rows)
        )
        try:
            return [process(state) for state in states]
        finally:
            process.close()


def sealed_graph(
    process_manager: ProcessManager, data: object, layout: BufferLayout
) -> SandboxProcess:
    """Return a sealed process that runs the untrusted graph `data` on `layout`'s inputs."""
    job = {
        "do": "graph",
        "graph": data,
        "shapes": list(layout.shapes.items()),
        "max_rows": layout.max_rows,
    }
    return SandboxProcess(process_manager, layout, job)


@dataclass(frozen=True)
class CheckedGraph:
    """A reward's graph that gave the reward's own results in a sealed process."""

    graph: RewardGraph
    counts: tuple[int, ...]
    """The numbers of rows for which it was tried, ascending; it must not run with others."""
    given: tuple[RewardBatch, ...]
    """The reward's own results for each number of rows."""

    @cached_property
    def key(self) -> str:
        """Equal for rewards with the same operations and the same results when they were called."""
        digest = hashlib.sha256(self.graph.key.encode())
        for batch in self.given:
            for _, values in sorted({"": batch.reward, **batch.components}.items()):
                digest.update(values.numpy().tobytes())
        return digest.hexdigest()


def _repeated(state: Mapping[str, Tensor], rows: int) -> dict[str, Tensor]:
    """Return `rows` rows by repeating those of `state`."""
    return {name: values[torch.arange(rows) % len(values)] for name, values in state.items()}


def _same(a: RewardBatch, b: RewardBatch) -> bool:
    pairs = [
        (a.reward, b.reward),
        *((a.components[name], b.components.get(name)) for name in a.components),
    ]
    return a.components.keys() == b.components.keys() and all(
        y is not None and torch.allclose(x, y, rtol=1e-4, atol=1e-5) for x, y in pairs
    )

"""Run a reward's graph in a sealed process before trusted code may run it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from eureka_agent.jail.ipc import SharedBuffers
from eureka_agent.rewards.graph import RewardGraph
from eureka_agent.rewards.graph_format import parse_graph


class GraphRunner:
    """Answers calls like a reward, by running a graph that another process recorded.

    This is the first place where operations of an untrusted graph run.
    """

    def __init__(
        self, graph: object, shapes: Mapping[str, tuple[int, ...]], buffers: SharedBuffers
    ) -> None:
        self._data = graph
        self._shapes = shapes
        self._buffers = buffers

    def __call__(self, rows: int) -> list[str]:
        """Compute the first `rows` rows; return the component names in the buffers' order.

        Raises GraphError for a graph that is not accepted, and whatever its operations raise.
        """
        batch = self._graph({name: values[:rows] for name, values in self._buffers.inputs.items()})
        self._buffers.reward[:rows] = batch.reward
        for index, values in enumerate(batch.components.values()):
            self._buffers.components[index, :rows] = values
        return list(batch.components)

    @cached_property
    def _graph(self) -> RewardGraph:
        return parse_graph(self._data, self._shapes)

"""Running a reward's graph in a sealed process, before trusted code may run it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from eureka_agent.jail.ipc import SharedBuffers
from eureka_agent.rewards.graph import RewardGraph
from eureka_agent.rewards.graph_format import parse_graph


class GraphRunner:
    """Answers calls as a reward does, with the operations of a graph that another process recorded.

    No operation of an untrusted graph has run anywhere before.
    """

    def __init__(
        self, graph: object, shapes: Mapping[str, tuple[int, ...]], exchange: SharedBuffers
    ) -> None:
        self._data, self._shapes, self._exchange = graph, shapes, exchange

    def __call__(self, rows: int) -> list[str]:
        """Compute the first `rows` rows; return the component names in the order of the shared
        memory.

        Raises GraphError for a graph that is not accepted, and whatever an operation raises.
        """
        batch = self._graph({name: values[:rows] for name, values in self._exchange.inputs.items()})
        self._exchange.reward[:rows] = batch.reward
        for index, values in enumerate(batch.components.values()):
            self._exchange.components[index, :rows] = values
        return list(batch.components)

    @cached_property
    def _graph(self) -> RewardGraph:
        return parse_graph(self._data, self._shapes)

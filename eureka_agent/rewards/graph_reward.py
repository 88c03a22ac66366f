"""Run a reward's graph on the simulation's device instead of its code in the sealed process."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from torch import Tensor

from eureka_agent.errors import GraphError
from eureka_agent.rewards.graph import RewardGraph
from eureka_agent.rewards.runner import RewardBatch, RewardRunner, not_finite, reward_failed
from eureka_agent.text import one_line

_MAX_TEXT = 300


class GraphReward:
    """A `RewardRunner` for a graph: `submit` runs it on the state's own device.

    The graph must have run in a sealed process for each number of rows in `counts`
    (`SandboxedReward.graph`): for other numbers its operations could take any time and memory.
    Calls with other numbers of rows go to `otherwise`, the reward in its sealed process.
    """

    processor_s = 0.0
    """It runs in the trusted process, and its work is bounded."""

    def __init__(
        self, graph: RewardGraph, counts: Collection[int], otherwise: RewardRunner
    ) -> None:
        self.graph = graph
        self._counts = frozenset(counts)
        self._otherwise = otherwise
        self._submitted: RewardBatch | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The state variables that `submit` needs."""
        return self.graph.inputs

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """See `RewardRunner.submit`."""
        own = {name: state[name] for name in self.parameters}
        if len(own[self.parameters[0]]) not in self._counts:
            self._otherwise.submit(own)
            return
        try:
            self._submitted = self.graph(own)
        except (
            RuntimeError,
            LookupError,
            ValueError,
            TypeError,
            ArithmeticError,
            GraphError,
        ) as error:
            message = one_line(str(error), _MAX_TEXT)
            raise reward_failed(f"{type(error).__name__}: {message}") from error

    def collect(self) -> RewardBatch:
        """See `RewardRunner.collect`."""
        if self._submitted is None:
            return self._otherwise.collect()
        batch, self._submitted = self._submitted, None
        if (wrong := not_finite(batch)) is not None:
            raise reward_failed(wrong)
        return batch

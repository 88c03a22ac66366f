"""Running a reward's graph where the simulation is, instead of its code in the sealed process."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from eureka_agent.errors import GraphError
from eureka_agent.graph import RewardGraph
from eureka_agent.reward import RewardBatch, not_finite, reward_failed

_MAX_TEXT = 300


class GraphReward:
    """A `RewardRunner` for a graph: `submit` runs it on the state's own device."""

    def __init__(self, graph: RewardGraph) -> None:
        self.graph = graph
        self._submitted: RewardBatch | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that `submit` needs."""
        return self.graph.inputs

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """See `RewardRunner.submit`. Raises RewardRuntimeError when an operation fails on these values."""
        try:
            self._submitted = self.graph({name: state[name] for name in self.parameters})
        except (RuntimeError, LookupError, ValueError, TypeError, ArithmeticError, GraphError) as error:
            message = " ".join(str(error).split())[:_MAX_TEXT]
            raise reward_failed(f"{type(error).__name__}: {message}") from error

    def collect(self) -> RewardBatch:
        """See `RewardRunner.collect`. Raises RewardRuntimeError for NaN and infinite values."""
        assert self._submitted is not None, "collect() without submit()"
        batch, self._submitted = self._submitted, None
        if (wrong := not_finite(batch)) is not None:
            raise reward_failed(wrong)
        return batch

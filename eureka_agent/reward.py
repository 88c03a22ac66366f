"""What a reward gives for a batch of rows, and the contract of whatever computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

SPARSE_REWARD = "_sparse_reward"
"""Name under which a rollout carries the task's own sparse reward; no candidate can ask for it."""


@dataclass(frozen=True)
class RewardBatch:
    """The rewards of `rows` transitions."""

    reward: Tensor
    """`(rows,)` float32, finite"""
    components: Mapping[str, Tensor]
    """`(rows,)` each"""


class RewardRunner(Protocol):
    """Computes rewards for a batch of transitions, possibly elsewhere: `submit`, do something else, `collect`."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that `submit` needs."""
        ...

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """Hand over `(rows, *shape)` of every name in `parameters`; constants may be missing."""
        ...

    def collect(self) -> RewardBatch:
        """Return the rewards of what was submitted. Raises RewardRuntimeError when the reward itself fails."""
        ...


class SparseReward:
    """The task's own sparse reward, computed by trusted code while the worlds step."""

    parameters = (SPARSE_REWARD,)

    def __init__(self) -> None:
        self._submitted: RewardBatch | None = None

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """See `RewardRunner.submit`."""
        value = state[SPARSE_REWARD]
        self._submitted = RewardBatch(value, {"sparse": value})

    def collect(self) -> RewardBatch:
        """See `RewardRunner.collect`."""
        assert self._submitted is not None, "collect() without submit()"
        return self._submitted

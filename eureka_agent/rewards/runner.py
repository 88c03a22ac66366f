"""What a reward gives for a batch of rows, and the contract of whatever computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from eureka_agent.errors import RewardRuntimeError, UsageError

MAX_COMPONENTS = 32
MAX_COMPONENT_NAME = 64
"""Characters."""
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
    """Computes rewards for a batch of transitions, possibly elsewhere: `submit`, do something else,
    `collect`."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that `submit` needs."""
        ...

    @property
    def processor_s(self) -> float:
        """Seconds of processor time that it has used so far in a process of its own; 0 where it has
        none."""
        ...

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """Hand over `(rows, *shape)` of every name in `parameters`; constants may be missing."""
        ...

    def collect(self) -> RewardBatch:
        """Return the rewards of what was submitted. Raises RewardRuntimeError when the reward
        itself fails."""
        ...


def reward_failed(reason: str) -> RewardRuntimeError:
    """Return the error of a reward that broke, in the same words wherever it ran."""
    return RewardRuntimeError(f"The reward function failed: {reason.rstrip('.')}.")


def reward_values(reward: Tensor | RewardRunner, state: Mapping[str, Tensor], rows: int) -> Tensor:
    """Return `(rows,)` float64 on the CPU: `reward` itself where it is values already, else what it
    gives for `state`.

    Raises UsageError for values of another shape or not finite, RewardRuntimeError when the reward
    itself fails.
    """
    if not isinstance(reward, Tensor):
        reward.submit(state)
        reward = reward.collect().reward
    values = reward.detach().cpu().double()
    if tuple(values.shape) != (rows,):
        raise UsageError(
            f"A reward has one value a transition: expected {(rows,)}, got {tuple(values.shape)}."
        )
    if not torch.isfinite(values).all():
        raise UsageError(
            "The reward's values hold NaN or infinity; only finite ones can be compared."
        )
    return values


def not_finite(batch: RewardBatch) -> str | None:
    """Say what is NaN or infinite in `batch`, or return None. A GPU is waited for once."""
    columns = {"the reward": batch.reward} | {
        f"component {n!r}": c for n, c in batch.components.items()
    }
    # 0 times NaN or infinity is NaN: half the price of `isfinite`
    if float((torch.stack(list(columns.values())) * 0.0).sum()) == 0.0:
        return None
    bad = {name: int((~torch.isfinite(values)).sum()) for name, values in columns.items()}
    wrong = [f"{name} in {count}" for name, count in bad.items() if count]
    return f"NaN or infinite values: {', '.join(wrong)} of {len(batch.reward)} rows"


class SparseReward:
    """The task's own sparse reward, computed by trusted code while the worlds step."""

    parameters = (SPARSE_REWARD,)
    processor_s = 0.0

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

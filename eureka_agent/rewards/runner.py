"""The results of a reward for a batch of rows, and the interface of all that compute them."""

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
"""Name of the task's own sparse reward in a rollout; no candidate can read it."""
OWN_REWARD = "_own_reward"
"""Name of the reward that the environment itself pays in a rollout; no candidate can read it."""


@dataclass(frozen=True)
class RewardBatch:
    """The rewards of `rows` transitions.

    Args:
        reward: `(rows,)` float32, finite.
        components: The named terms of the reward, `(rows,)` float32 each, finite.
    """

    reward: Tensor
    components: Mapping[str, Tensor]


class RewardRunner(Protocol):
    """Computes rewards for batches of transitions, possibly in another process.

    A call is a `submit` and then a `collect`, so that the caller can work in between, or submit to
    other runners. A runner has at most one call under way. All rewards are pure: equal states give
    equal results, and a row's result depends on that row only.
    """

    @property
    def parameters(self) -> tuple[str, ...]:
        """The state variables that `submit` needs."""
        ...

    @property
    def processor_s(self) -> float:
        """Processor time in seconds that all calls have used in another process.

        0 if there is no other process. Training uses it to stop rewards that are too slow.
        """
        ...

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """Start a call.

        Args:
            state: Tensors `(rows, *shape)`, at least those in `parameters`, with the same number of
                rows. They may be on any device and are not changed.

        Raises:
            RewardRuntimeError: The reward fails, or has failed before.
        """
        ...

    def collect(self) -> RewardBatch:
        """Wait for the call that `submit` started.

        Returns:
            The rewards of the submitted rows.

        Raises:
            RewardRuntimeError: The reward failed: exception, NaN or infinity, time limit, crash.
        """
        ...


def reward_failed(reason: str) -> RewardRuntimeError:
    """Return the error for a failed reward, with the same wording for every runner."""
    return RewardRuntimeError(f"The reward function failed: {reason.rstrip('.')}.")


def reward_values(reward: Tensor | RewardRunner, state: Mapping[str, Tensor], rows: int) -> Tensor:
    """Return a reward's values as `(rows,)` float64 on the CPU.

    `reward` is either these values, or a runner that is called with `state`. Raises UsageError for
    values that are not finite or not `(rows,)`, RewardRuntimeError if the runner fails.
    """
    if not isinstance(reward, Tensor):
        reward.submit(state)
        reward = reward.collect().reward
    values = reward.detach().cpu().double()
    if tuple(values.shape) != (rows,):
        raise UsageError(
            f"A reward has one value per transition: expected {(rows,)}, got {tuple(values.shape)}."
        )
    if not torch.isfinite(values).all():
        raise UsageError(
            "The reward's values hold NaN or infinity; only finite values can be compared."
        )
    return values


def not_finite(batch: RewardBatch) -> str | None:
    """Return what is NaN or infinite in `batch`, or None. Synchronises with a GPU once."""
    columns = {"the reward": batch.reward} | {
        f"component {n!r}": c for n, c in batch.components.items()
    }
    # 0 times NaN or infinity is NaN; this takes half as long as `isfinite`.
    if float((torch.stack(list(columns.values())) * 0.0).sum()) == 0.0:
        return None
    bad = {name: int((~torch.isfinite(values)).sum()) for name, values in columns.items()}
    wrong = [f"{name} in {count}" for name, count in bad.items() if count]
    return f"NaN or infinite values: {', '.join(wrong)} of {len(batch.reward)} rows"


class BuiltInReward:
    """A reward that trusted code computes while the environments step."""

    processor_s = 0.0

    def __init__(self, name: str, component: str) -> None:
        """`name` is its name in a rollout, `component` that of its only component."""
        self.parameters = (name,)
        self._component = component
        self._submitted: RewardBatch | None = None

    def submit(self, state: Mapping[str, Tensor]) -> None:
        """See `RewardRunner.submit`."""
        (name,) = self.parameters
        value = state[name]
        self._submitted = RewardBatch(value, {self._component: value})

    def collect(self) -> RewardBatch:
        """See `RewardRunner.collect`."""
        assert self._submitted is not None, "collect() without submit()"
        return self._submitted


class SparseReward(BuiltInReward):
    """The task's own sparse reward."""

    def __init__(self) -> None:
        super().__init__(SPARSE_REWARD, "sparse")


class OwnReward(BuiltInReward):
    """The reward that the environment itself pays (`Task.has_own_reward`)."""

    def __init__(self) -> None:
        super().__init__(OWN_REWARD, "own")

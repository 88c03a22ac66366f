"""Trying a reward on sample states before a training is spent on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from eureka_agent.errors import ProbeError, RewardRuntimeError
from eureka_agent.jail import SealedReward
from eureka_agent.reward import RewardBatch
from eureka_agent.task import StateSpec

_ZERO_AT_REST = frozenset(
    {"linear_velocity", "angular_velocity", "joint_velocities", "speed", "force", "action", "flag", "distance", "angle"}
)
"""Kinds that are exactly zero in states that occur; where a target or a joint's limit is, is not among them."""
_RELATIVE, _ABSOLUTE = 1e-3, 1e-4
"""Other sizes of a batch take other vectorised kernels, which may round differently."""
_ROUNDED = 0.01
"""Share of rows that rounding may push over a threshold of the reward."""

_RANDOM = "equal inputs must give equal values"
_BATCH = "a row's value must not depend on the other rows: reduce over the last dimension (dim=-1), not over the rows"
_ZERO = (
    " This happens where velocities, distances or actions are zero, as at the start of an episode: guard divisions, "
    "roots and logarithms, e.g. x / (x.norm(dim=-1, keepdim=True) + 1e-6)."
)


def probe(reward: SealedReward, samples: Mapping[str, Tensor]) -> None:
    """Raise ProbeError, one sentence, when `reward` breaks its contract on `samples`, `(rows, *shape)` each.

    Beyond what every call checks (shapes, finite values, unchanged inputs): equal inputs give equal outputs; a row's
    reward depends on that row alone; and a state at rest (velocities, distances, actions all zero) gives a finite
    reward.
    """
    samples = {name: samples[name] for name in reward.parameters}
    first = _call(reward, samples)
    _demand_equal(first, _call(reward, samples), _RANDOM)
    for change in (_backwards, _first_half, _second_half):
        changed = _call(reward, {name: change(values) for name, values in samples.items()})
        _demand_equal(_apply(change, first), changed, _BATCH)
    _call(reward, _at_rest(samples, reward.spec), hint=_ZERO)


def _backwards(values: Tensor) -> Tensor:
    return values.flip(0)


def _first_half(values: Tensor) -> Tensor:
    return values[: (len(values) + 1) // 2]


def _second_half(values: Tensor) -> Tensor:
    return values[len(values) // 2 :]


def _call(reward: SealedReward, state: Mapping[str, Tensor], *, hint: str = "") -> RewardBatch:
    try:
        return reward(state)
    except RewardRuntimeError as error:
        raise ProbeError(f"{error}{hint}") from error


def _apply(change: Callable[[Tensor], Tensor], batch: RewardBatch) -> RewardBatch:
    return RewardBatch(change(batch.reward), {name: change(values) for name, values in batch.components.items()})


def _demand_equal(expected: RewardBatch, got: RewardBatch, otherwise: str) -> None:
    pairs = {"the reward": (expected.reward, got.reward)}
    for name, values in expected.components.items():
        if values.min() < values.max():  # one number for all rows, such as a mean to look at, is no reward for a row
            pairs[f"component {name!r}"] = (values, got.components[name])
    for name, (a, b) in pairs.items():
        close = torch.isclose(a, b, rtol=_RELATIVE, atol=_ABSOLUTE * max(1.0, float(a.abs().max())))
        if (changed_rows := int((~close).sum())) > _ROUNDED * len(a):
            changed = f"{name} changed in {changed_rows} of {len(a)} rows"
            raise ProbeError(f"The reward function failed: {changed}: {otherwise}.")


def _at_rest(samples: Mapping[str, Tensor], spec: StateSpec) -> dict[str, Tensor]:
    """Return two sample rows in which nothing moves or is off its goal."""
    kinds = {variable.name: variable.kind for variable in spec.tensors}
    return {
        name: values[:2] * 0.0
        if kinds.get(name, kinds.get(name.removeprefix("prev_"))) in _ZERO_AT_REST
        else values[:2]
        for name, values in samples.items()
    }

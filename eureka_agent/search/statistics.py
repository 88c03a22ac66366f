"""What several training seeds say about a reward.

The same reward trained with other seeds gives other fitness, so scores here are over training
seeds, not over episodes of one policy (Agarwal et al. 2021, "Deep Reinforcement Learning at the
Edge of the Statistical Precipice").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 10_000
_TRIM = 0.25
_SAME_SHARE = 0.02


@dataclass(frozen=True)
class Score:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def interquartile_mean(scores: Sequence[Sequence[float]], *, seed: int = 0) -> Score:
    """Return the interquartile mean over all training seeds of all tasks, with its stratified
    bootstrap interval.

    `scores`: one row a task, one entry a training seed; rows may differ in length. The mean is that
    of the middle half of all entries together: a quarter of them, rounded down, is cut at either
    end (ibid., section 4.3). The interval is the percentile one over resamples that draw, with
    replacement, as many seeds of each task as it has; with one seed a task nothing is known about
    luck and the interval is infinite. Raises ValueError for no scores.
    """
    rows = [np.asarray(row, dtype=np.float64) for row in scores]
    if not rows or not all(len(row) for row in rows):
        raise ValueError(f"expected at least one score a task, got {[len(row) for row in rows]}")
    value = float(_middle(np.concatenate(rows)[None])[0])
    if all(len(row) == 1 for row in rows):
        return Score(value, -np.inf, np.inf)
    draw = np.random.default_rng(seed)
    resampled = [row[draw.integers(len(row), size=(_RESAMPLES, len(row)))] for row in rows]
    low, high = np.quantile(_middle(np.concatenate(resampled, axis=1)), (0.025, 0.975))
    return Score(value, float(low), float(high))


def _middle(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the middle half of each row, `(rows, entries)` to `(rows,)`."""
    cut = int(_TRIM * scores.shape[1])
    middle: NDArray[np.float64] = np.sort(scores, axis=1)[:, cut : scores.shape[1] - cut].mean(
        axis=1
    )
    return middle


def alike(a: Score, b: Score) -> bool:
    """Return whether two results are too near to each other for their difference to mean anything.

    They are when the 95 % interval of the difference holds 0, or when they differ by less than 2 %
    of the larger one: where every episode ends the same the intervals have no width, and a
    difference of next to nothing is none.
    """
    widths = [(score.high - score.low) / 2.0 for score in (a, b)]
    error = math.hypot(*(width for width in widths if math.isfinite(width)))
    size = max(abs(a.value), abs(b.value))
    return abs(a.value - b.value) <= max(error, _SAME_SHARE * size)


def human_normalised(fitness: float, human: Score, sparse: Score) -> float | None:
    """Return `(fitness - sparse) / |human - sparse|` (Eureka, section 4); None where these two are
    alike.

    A denominator near zero makes any number of any fitness.
    """
    if alike(human, sparse) or not math.isfinite(fitness):
        return None
    return (fitness - sparse.value) / abs(human.value - sparse.value)

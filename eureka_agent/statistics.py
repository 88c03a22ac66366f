"""What several training seeds say about a reward.

The same reward trained with other seeds gives other fitness, so scores here are over training seeds, not over episodes
of one policy (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 10_000
_TRIM = 0.25


@dataclass(frozen=True)
class Score:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def interquartile_mean(scores: Sequence[Sequence[float]], *, seed: int = 0) -> Score:
    """Return the interquartile mean over all training seeds of all tasks, with its stratified bootstrap interval.

    `scores`: one row a task, one entry a training seed; rows may differ in length. The mean is that of the middle half
    of all entries together: a quarter of them, rounded down, is cut at either end (ibid., section 4.3). The interval
    is the percentile one over resamples that draw, with replacement, as many seeds of each task as it has; with one
    seed a task nothing is known about luck and the interval is infinite. Raises ValueError for no scores.
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
    middle: NDArray[np.float64] = np.sort(scores, axis=1)[:, cut : scores.shape[1] - cut].mean(axis=1)
    return middle


def human_normalised(fitness: float, human: float, sparse: float) -> float | None:
    """Return `(fitness - sparse) / |human - sparse|` (Eureka, section 4); None where the two references agree."""
    gap = abs(human - sparse)
    return (fitness - sparse) / gap if gap > 1e-9 and np.isfinite(fitness) else None

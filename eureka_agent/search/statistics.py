"""Scores of a reward over several training seeds.

The same reward trained with another seed gives another fitness, so the scores here are over
training seeds, not over episodes of one policy (Agarwal et al. 2021, "Deep Reinforcement Learning
at the Edge of the Statistical Precipice").
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
    """Return the interquartile mean of all scores with its stratified bootstrap interval.

    The mean is over the middle half of all entries together: a quarter of them, rounded down, is
    cut at either end (ibid., section 4.3). The interval is the percentile interval over resamples;
    each draws, with replacement, as many seeds of each task as the task has. If a task has only one
    seed, or a score is not finite, the spread is unknown and the interval is infinite.

    Args:
        scores: One row per task, one entry per training seed; rows may differ in length.
        seed: Seed of the resampling.

    Returns:
        The mean with its 95 % interval.

    Raises:
        ValueError: A row is empty, or there is none.
    """
    from scipy.stats import bootstrap  # noqa: PLC0415 - takes half a second

    rows = [np.asarray(row, dtype=np.float64) for row in scores]
    if not rows or not all(len(row) for row in rows):
        raise ValueError(f"expected at least one score per task, got {[len(row) for row in rows]}")
    value = float(_interquartile_mean(*rows))
    if not all(len(row) > 1 and np.isfinite(row).all() for row in rows):
        return Score(value, -np.inf, np.inf)
    resampled = bootstrap(
        rows,
        _interquartile_mean,
        n_resamples=_RESAMPLES,
        method="percentile",
        random_state=np.random.default_rng(seed),
    )
    low, high = resampled.confidence_interval
    return Score(value, float(low), float(high))


def _interquartile_mean(
    *rows: NDArray[np.float64], axis: int = -1
) -> NDArray[np.float64] | np.float64:
    """Return the interquartile mean along `axis` of all rows together."""
    from scipy.stats import trim_mean  # noqa: PLC0415 - as above

    mean: NDArray[np.float64] | np.float64 = trim_mean(
        np.concatenate(rows, axis=axis), _TRIM, axis=axis
    )
    return mean


def alike(a: Score, b: Score) -> bool:
    """Return whether two results are too close for their difference to mean anything.

    They are alike if the 95 % interval of the difference contains 0, or if they differ by less than
    2 % of the larger one. The second rule is for tasks in which every episode ends the same: the
    intervals then have no width, but a tiny difference still means nothing.

    Args:
        a: One result.
        b: The other result.

    Returns:
        True if they are alike.
    """
    widths = [(score.high - score.low) / 2.0 for score in (a, b)]
    error = math.hypot(*(width for width in widths if math.isfinite(width)))
    size = max(abs(a.value), abs(b.value))
    return abs(a.value - b.value) <= max(error, _SAME_SHARE * size)


def human_normalised(fitness: float, human: Score, sparse: Score) -> float | None:
    """Return `(fitness - sparse) / |human - sparse|` (Eureka, section 4).

    Args:
        fitness: The fitness to normalise.
        human: The human reward's result.
        sparse: The sparse reward's result.

    Returns:
        The score. None if `human` and `sparse` are alike, since a denominator near zero makes the
        score meaningless, or if the fitness is not finite.
    """
    if alike(human, sparse) or not math.isfinite(fitness):
        return None
    return (fitness - sparse.value) / abs(human.value - sparse.value)

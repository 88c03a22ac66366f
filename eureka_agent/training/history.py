"""The numbers of a training by iteration, and their summary for the reflection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from eureka_agent.records import Curve, Rung, TrainingRecord

POINTS = 10
"""Number of points in a curve, at most (Eureka, appendix A: reward reflection)."""


@dataclass
class History:
    """One candidate's training; each list has one entry per iteration."""

    reward: list[float] = field(default_factory=list)
    components: dict[str, list[float]] = field(default_factory=dict)
    fitness: list[float] = field(default_factory=list)
    """NaN where no episode ended."""
    episode_length: list[float] = field(default_factory=list)
    diverged_envs: int = 0

    def add(
        self, reward: float, components: dict[str, float], fitness: float, length: float, bad: int
    ) -> None:
        """Add the numbers of one iteration; `bad` counts the rows whose physics diverged."""
        self.reward.append(reward)
        for name, value in components.items():
            self.components.setdefault(name, []).append(value)
        self.fitness.append(fitness)
        self.episode_length.append(length)
        self.diverged_envs += bad

    def record(
        self,
        environment_steps: int,
        seconds: float,
        rungs: Sequence[Rung] = (),
        stopped: str | None = None,
    ) -> TrainingRecord:
        """Return the summary; `rungs` and `stopped` are those of a race."""
        return TrainingRecord(
            environment_steps=environment_steps,
            seconds=seconds,
            reward=curve("reward", self.reward),
            components=tuple(curve(name, values) for name, values in self.components.items()),
            fitness=curve("fitness", self.fitness),
            episode_length=curve("episode_length", self.episode_length),
            correlations={
                name: correlation(values, self.fitness) for name, values in self.components.items()
            },
            diverged_envs=self.diverged_envs,
            rungs=tuple(rungs),
            stopped=stopped,
        )


def curve(name: str, values: Sequence[float]) -> Curve:
    """Return the means of about ten equal parts of `values`, with the max, mean and min of all.

    NaN entries (iterations without a finished episode) are ignored, and so are parts of only NaN.
    """
    known = np.asarray([value for value in values if math.isfinite(value)])
    if not len(known):
        return Curve(name, (), math.nan, math.nan, math.nan)
    parts = np.array_split(np.asarray(values, dtype=float), min(POINTS, len(values)))
    means = tuple(float(np.nanmean(part)) for part in parts if np.isfinite(part).any())
    return Curve(name, means, float(known.max()), float(known.mean()), float(known.min()))


def correlation(values: Sequence[float], others: Sequence[float]) -> float:
    """Return Pearson's correlation of the iterations where both are finite; NaN if one is flat."""
    count = min(len(values), len(others))
    x = np.asarray(values[:count], dtype=float)
    y = np.asarray(others[:count], dtype=float)
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if len(x) < 3 or np.ptp(x) < 1e-12 or np.ptp(y) < 1e-12:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])

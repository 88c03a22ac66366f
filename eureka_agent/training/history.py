"""A training's numbers, iteration by iteration, and their summary for reflection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from eureka_agent.records import Curve, Rung, TrainingRecord

POINTS = 10
"""About this many points a curve keeps (Eureka, appendix A: reward reflection)."""


@dataclass
class History:
    """One candidate's training; one entry an iteration in each list."""

    reward: list[float] = field(default_factory=list)
    components: dict[str, list[float]] = field(default_factory=dict)
    fitness: list[float] = field(default_factory=list)
    """NaN where no episode ended."""
    episode_length: list[float] = field(default_factory=list)
    diverged_envs: int = 0

    def add(
        self, reward: float, components: dict[str, float], fitness: float, length: float, bad: int
    ) -> None:
        """Take in one iteration."""
        self.reward.append(reward)
        for name, value in components.items():
            self.components.setdefault(name, []).append(value)
        self.fitness.append(fitness)
        self.episode_length.append(length)
        self.diverged_envs += bad

    def record(
        self, environment_steps: int, seconds: float, rungs: Sequence[Rung] = (), stopped: str = ""
    ) -> TrainingRecord:
        """Summarise; `rungs` and `stopped` tell of a race."""
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
    """Return `values` as about ten means of equal stretches, with max, mean and min over all of
    them.

    NaN entries (iterations without a finished episode) count nowhere; a stretch of only NaN is left
    out.
    """
    known = np.asarray([value for value in values if math.isfinite(value)])
    if not len(known):
        return Curve(name, (), math.nan, math.nan, math.nan)
    stretches = np.array_split(np.asarray(values, dtype=float), min(POINTS, len(values)))
    means = tuple(float(np.nanmean(part)) for part in stretches if np.isfinite(part).any())
    return Curve(name, means, float(known.max()), float(known.mean()), float(known.min()))


def correlation(values: Sequence[float], others: Sequence[float]) -> float:
    """Pearson's correlation over the iterations where both are known; NaN when either is flat."""
    count = min(len(values), len(others))
    x, y = np.asarray(values[:count], dtype=float), np.asarray(others[:count], dtype=float)
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if len(x) < 3 or np.ptp(x) < 1e-12 or np.ptp(y) < 1e-12:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])

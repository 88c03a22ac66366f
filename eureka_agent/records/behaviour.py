"""What a trained policy did in its evaluation, measured by trusted code."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

TIME_LIMIT = "time limit"
"""The cause of an episode's end that is not a termination."""


@dataclass(frozen=True)
class EndCause:
    """A cause of the end of episodes."""

    cause: str
    """`time limit`, or the task's words for a termination (`Task.end_causes`)."""
    episodes: int
    """Number of episodes that ended so."""
    length: float
    """Their mean length in environment steps."""


@dataclass(frozen=True)
class QuantitySpread:
    """One number of the state over all episodes: 5 %, 50 % and 95 % percentile at three moments."""

    name: str
    unit: str
    """Empty if it has none."""
    start: tuple[float, float, float]
    middle: tuple[float, float, float]
    end: tuple[float, float, float]


@dataclass(frozen=True)
class EpisodeSketch:
    """One episode as a short table."""

    fitness: float
    length: int
    """Environment steps."""
    cause: str
    """Why it ended."""
    moments: tuple[tuple[float, ...], ...]
    """Rows at about six moments from start to end: the time in s, then `Behaviour.columns`."""


@dataclass(frozen=True)
class HalfGains:
    """What episodes that lasted to the time limit gained in each half of it."""

    episodes: int
    """Number of these episodes."""
    first: float
    """Mean fitness gained in the first half."""
    second: float
    """Mean fitness gained in the second half."""
    error: float
    """Standard error of the mean of first minus second; infinite for a single episode."""


@dataclass(frozen=True)
class ComponentEffect:
    """A component of the reward over evaluation episodes, without exploration."""

    name: str
    mean: float
    """Mean of its sum over an episode."""
    variance_share: float
    """Share of the variance of the episode's return that it explains: cov(component sum, return) /
    var(return). The shares add up to 1 if the components add up to the reward. NaN if the returns
    are equal."""
    fitness_correlation: float
    """Correlation of its sum with the fitness over episodes; NaN if either is the same in all."""


@dataclass(frozen=True)
class Behaviour:
    """What a trained policy did in the episodes of its evaluation."""

    episodes: int
    step_s: float
    """Seconds per environment step."""
    ends: tuple[EndCause, ...]
    """The causes of the end, most frequent first."""
    fitness_alive: float
    """Fitness per environment step while episodes last, times the steps of a full episode; NaN if
    every step gives the same, because then the fitness is the episode's length."""
    late_share: float
    """Share of the fitness that is gained in the second halves of episodes, however long they are;
    NaN if nothing is gained."""
    fitness_solved: float
    """The task's `fitness_solved`, the scale on which a fitness is little or much."""
    halves: HalfGains | None
    """None if no episode lasted to the time limit."""
    spreads: tuple[QuantitySpread, ...]
    """The numbers of the state that change most during the episodes."""
    columns: tuple[str, ...]
    """The numbers of the state that the sketches show, with their units."""
    typical: tuple[EpisodeSketch, ...]
    """Up to three episodes with a fitness nearest to the median."""
    worst: tuple[EpisodeSketch, ...]
    """Up to three episodes with the lowest fitness; only those clearly below the median."""
    components: tuple[ComponentEffect, ...] = ()
    """Empty without figures: no source, or the reward failed or was too slow here."""
    component_episodes: int = 0
    """Number of episodes that `components` is measured in."""

    def without_fitness(self) -> Behaviour:
        """Return the behaviour without the task's fitness, and without what it selects."""
        return replace(
            self,
            fitness_alive=math.nan,
            late_share=math.nan,
            fitness_solved=math.nan,
            halves=None,
            typical=(),
            worst=(),
            components=tuple(
                replace(each, fitness_correlation=math.nan) for each in self.components
            ),
        )

"""Racing: stops candidates early that are worse than the best of their generation.

Successive halving (Karnin et al. 2013; Jamieson & Talwalkar 2016): at a few rungs of the training
only the better candidates continue. They are compared by what their environments earned, with
exploration, over the last iterations. That costs no extra episodes, and it is less noisy than the
policy of one moment. Four rules keep the eventual winner in the race:

- The best quarter trains to the end, not only the leader.
- A candidate that is not significantly worse than the leader is kept: the 95 % interval of the
  difference, by iteration, contains 0. This costs more steps the more alike the rewards are, and
  can be switched off.
- One late bloomer is kept: a candidate that overtakes the leader if the parabolas through both
  curves continue, and whose curve bends upwards significantly more (95 %) than the leader's.
- A candidate trains as it would without the others, so a race only changes which candidates
  continue. The environments of stopped candidates are dropped, which speeds up the others on a CPU.

A candidate that is significantly worse than the run's best was at the same rung is stopped as well,
unless it leads its generation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from eureka_agent.records import Rung

_STRETCH = 0.075
"""Share of the training that candidates are compared over: less is noisy, more is outdated."""
_FEWEST = 6
"""Minimum number of iterations in a stretch: an interval over fewer is meaningless."""
_PARABOLA = 3
"""Number of coefficients of a parabola."""


@dataclass(frozen=True)
class RungEstimate:
    """One candidate at a rung."""

    past: Tensor
    """`(iterations,)`: expected fitness of an episode with exploration, by iteration so far."""
    of: int
    """Iterations of the whole training."""
    level: float
    """Expected fitness over the last stretch, which ranks candidates; -inf instead of NaN."""

    @property
    def stretch(self) -> Tensor:
        """`(n,)`: the last iterations of `past`."""
        return self.past[-_stretch(self.of) :]

    @property
    def error(self) -> float:
        """Half the 95 % interval of the level, from the spread over iterations."""
        return _half_interval(self.stretch)

    @property
    def projected(self) -> float:
        """The highest fitness in the rest of the training, by the parabola through `past`."""
        if len(self.past) <= _PARABOLA or not bool(torch.isfinite(self.past).all()):
            return self.level
        curvature, slope, start = np.polyfit(self._shares, self.past.numpy(), 2)
        top = -slope / (2.0 * curvature) if curvature < 0.0 else 1.0
        at = min(1.0, max(float(self._shares[-1]), top))
        return float(start + slope * at + curvature * at**2)

    def is_catching_up(self, leader: RungEstimate) -> bool:
        """Whether the difference to the leader has a positive curvature (95 % interval)."""
        distance = self.past - leader.past
        if len(distance) < _FEWEST or not bool(torch.isfinite(distance).all()):
            return False
        (curvature, *_), covariance = np.polyfit(self._shares, distance.numpy(), 2, cov=True)
        return bool(curvature > student(len(distance) - _PARABOLA) * math.sqrt(covariance[0, 0]))

    @property
    def _shares(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.arange(1, len(self.past) + 1) / self.of

    def rung(self, environment_steps: int) -> Rung:
        """Return the record of this estimate."""
        return Rung(environment_steps, self.level, self.level - self.error, self.level + self.error)


def stopped(
    estimates: Sequence[RungEstimate],
    places: int,
    *,
    chance: bool = False,
    champion: Rung | None = None,
) -> list[str | None]:
    """Decide at a rung which candidates stop.

    Args:
        estimates: One per candidate.
        places: Number of candidates that continue.
        chance: Also keep candidates that are not significantly worse (95 %) than the leader.
        champion: The run's best candidate so far, as it was at this rung.

    Returns:
        For each candidate the reason why it stops, or None if it continues.
    """
    order = sorted(range(len(estimates)), key=lambda k: -estimates[k].level)
    leader = estimates[order[0]]
    late_bloomer = _late_bloomer(estimates, order, places)
    best = max(leader.level, champion.fitness if champion else -math.inf)
    done = len(leader.past) / leader.of
    reasons: list[str | None] = []
    for k, estimate in enumerate(estimates):
        behind_leader = k not in order[:places] and (
            not chance or significantly_worse(estimate.stretch, leader.stretch)
        )
        behind_champion = champion is not None and significantly_worse_than_champion(
            estimate, champion
        )
        if (behind_leader or behind_champion) and k not in (order[0], late_bloomer):
            figures = f"fitness {estimate.level:.3g} against {best:.3g}"
            reasons.append(f"{figures} while exploring, after {100 * done:.0f} % of the training")
        else:
            reasons.append(None)
    return reasons


def _late_bloomer(
    estimates: Sequence[RungEstimate], order: Sequence[int], places: int
) -> int | None:
    """Return the candidate beyond the first `places` that is projected to overtake the leader."""
    leader = estimates[order[0]]
    catching_up = [k for k in order[places:] if estimates[k].is_catching_up(leader)]
    best = max(catching_up, key=lambda k: estimates[k].projected, default=None)
    return best if best is not None and estimates[best].projected > leader.projected else None


def significantly_worse(one: Tensor, other: Tensor) -> bool:
    """Whether `one (iterations,)` is worse than `other` (paired, 95 %), or is not finite."""
    difference = (other - one).double()
    if not torch.isfinite(difference).all():
        return not bool(torch.isfinite(one).all())
    return float(difference.mean()) > _half_interval(difference)


def significantly_worse_than_champion(estimate: RungEstimate, champion: Rung) -> bool:
    """Whether a candidate is worse than one of which only level and 95 % interval are known."""
    champion_error = champion.fitness_high - champion.fitness
    return not estimate.level >= champion.fitness - math.hypot(estimate.error, champion_error)


def _half_interval(values: Tensor) -> float:
    """Return half the 95 % interval of the mean of `values (n,)`; infinite for fewer than two."""
    count = len(values)
    if count < 2:
        return math.inf
    return student(count - 1) * float(values.double().std()) / math.sqrt(count)


def student(freedom: int) -> float:
    """Return the two-sided 95 % quantile of Student's t with `freedom` degrees of freedom."""
    from scipy.special import stdtrit  # noqa: PLC0415 - only a race needs scipy

    return float(stdtrit(freedom, 0.975)) if freedom > 0 else math.inf


@dataclass
class FitnessTracker:
    """Estimates a candidate's fitness during training from every step of its environments.

    Finished episodes are a biased sample early on, because failed episodes end first. The estimate
    is instead the fitness per step times the episode length expected at the current rate of ends.
    """

    iterations: list[tuple[float, float, int]] = field(default_factory=list)
    """Fitness, number of terminations and number of steps of each iteration."""

    def add(self, fitness: float, ends: float, steps: int) -> None:
        """Add one iteration of all environments of the candidate."""
        self.iterations.append((fitness, ends, steps))

    def estimate(self, max_episode_steps: int, of: int) -> RungEstimate:
        """Return the estimate at this point of a training of `of` iterations."""
        past = [expected_fitness(*iteration, max_episode_steps) for iteration in self.iterations]
        fitness, ends, steps = (
            sum(column) for column in zip(*self.iterations[-_stretch(of) :], strict=True)
        )
        level = expected_fitness(fitness, ends, int(steps), max_episode_steps)
        return RungEstimate(
            torch.tensor(past, dtype=torch.float64),
            of,
            level if math.isfinite(level) else -math.inf,
        )


def _stretch(of: int) -> int:
    return max(_FEWEST, round(_STRETCH * of))


def expected_fitness(fitness: float, ends: float, steps: int, max_episode_steps: int) -> float:
    """Return the expected fitness of an episode, from `steps` steps with `ends` terminations.

    `fitness` is the sum over these steps. With a probability h to end at each step, an episode of
    at most T steps lasts (1 - (1 - h)^T) / h steps on average.
    """
    h = ends / steps
    length = (1.0 - (1.0 - h) ** max_episode_steps) / h if h > 0.0 else float(max_episode_steps)
    return fitness / steps * length

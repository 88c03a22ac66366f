"""Racing: most candidates of a generation need not train to the end to be told from the best.

Successive halving (Karnin et al. 2013; Jamieson & Talwalkar 2016): at a few rungs of the training
the better go on. Who is better is what the exploring worlds earned over the last stretch of it:
that costs no episodes, and the policy of one moment may be a lucky one or an unlucky one. Four
things keep a race from losing the winner:

- the best quarter trains to the end, not the leader alone;
- whom chance may have put behind goes on, too: the 95 % interval of the difference to the leader,
  iteration by iteration, holds 0. That costs steps, the more the more rewards are alike, and can be
  switched off;
- a late bloomer goes on, too: of those behind, one that is bound to overtake the leader if both
  curves go on as they bend now, and whose curve bends more than the leader's beyond chance;
- all candidates train as they would without the others, so a race changes who goes on and nothing
  else. Their environments are dropped, which makes the others that much faster on a CPU.

Who is clearly behind the run's best so far, as that one was at the same rung, stops too, but for
the leader.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from eureka_agent.records import Rung

_Z = 1.959964  # the normal distribution's two-sided 95 %
_STRETCH = 0.075
"""Share of the training that candidates are compared over: shorter is noise, longer is what they
were."""
_FEWEST = 6
"""Iterations of a stretch, at least: an interval over fewer says nothing."""
_PARABOLA = 3
"""What a parabola is given by."""


@dataclass(frozen=True)
class RungEstimate:
    """One candidate at a rung."""

    past: Tensor
    """`(iterations,)`: fitness of an episode as its exploring worlds would earn it, by each
    iteration so far."""
    of: int
    """Iterations of the whole training."""
    level: float
    """Over the last stretch as a whole: what the order goes by. -inf where not finite, so that NaN
    never leads."""

    @property
    def stretch(self) -> Tensor:
        """The last of `past`, `(n,)`."""
        return self.past[-_stretch(self.of) :]

    @property
    def error(self) -> float:
        """Half the 95 % interval of the level, from how iterations differ."""
        return _half_interval(self.stretch)

    @property
    def projected(self) -> float:
        """The highest fitness in the rest of the training, if the parabola through the past goes
        on."""
        if len(self.past) <= _PARABOLA or not bool(torch.isfinite(self.past).all()):
            return self.level
        curvature, slope, start = np.polyfit(self._shares, self.past.numpy(), 2)
        top = -slope / (2.0 * curvature) if curvature < 0.0 else 1.0
        at = min(1.0, max(float(self._shares[-1]), top))
        return float(start + slope * at + curvature * at**2)

    def is_catching_up(self, leader: RungEstimate) -> bool:
        """Whether the distance to the leader bends this one's way beyond chance: the parabola's 95
        % interval."""
        distance = self.past - leader.past
        if len(distance) < _FEWEST or not bool(torch.isfinite(distance).all()):
            return False
        (curvature, *_), covariance = np.polyfit(self._shares, distance.numpy(), 2, cov=True)
        return bool(curvature > student(len(distance) - _PARABOLA) * math.sqrt(covariance[0, 0]))

    @property
    def _shares(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.arange(1, len(self.past) + 1) / self.of

    def rung(self, environment_steps: int) -> Rung:
        """Return what is kept of this."""
        return Rung(environment_steps, self.level, self.level - self.error, self.level + self.error)


def stopped(
    standings: Sequence[RungEstimate],
    places: int,
    *,
    chance: bool = False,
    champion: Rung | None = None,
) -> list[str | None]:
    """Return for each candidate why it stops here, or None for those that go on.

    `places`: how many go on; with `chance` also those whom it may have put behind. `champion`: the
    run's best so far, as it was at this rung.
    """
    order = sorted(range(len(standings)), key=lambda k: -standings[k].level)
    leader = standings[order[0]]
    bloomer = _late_bloomer(standings, order, places)
    best = max(leader.level, champion.fitness if champion else -math.inf)
    done = len(leader.past) / leader.of
    reasons: list[str | None] = []
    for k, standing in enumerate(standings):
        lost = (
            k not in order[:places]
            and (not chance or significantly_worse(standing.stretch, leader.stretch))
        ) or (champion is not None and significantly_worse_than_champion(standing, champion))
        if lost and k not in (order[0], bloomer):
            figures = f"fitness {standing.level:.3g} against {best:.3g}"
            reasons.append(f"{figures} while exploring, after {100 * done:.0f} % of the training")
        else:
            reasons.append(None)
    return reasons


def _late_bloomer(
    standings: Sequence[RungEstimate], order: Sequence[int], places: int
) -> int | None:
    """Return who has no place, catches up with the leader and is bound to overtake it."""
    leader = standings[order[0]]
    catching_up = [k for k in order[places:] if standings[k].is_catching_up(leader)]
    bloomer = max(catching_up, key=lambda k: standings[k].projected, default=None)
    return (
        bloomer if bloomer is not None and standings[bloomer].projected > leader.projected else None
    )


def significantly_worse(one: Tensor, other: Tensor) -> bool:
    """Whether `one (iterations,)` is worse than `other` beyond chance: paired, 95 %; so is what is
    not finite."""
    difference = (other - one).double()
    if not torch.isfinite(difference).all():
        return not bool(torch.isfinite(one).all())
    return float(difference.mean()) > _half_interval(difference)


def significantly_worse_than_champion(standing: RungEstimate, champion: Rung) -> bool:
    """Whether a candidate is worse than one of whom only level and interval are known."""
    theirs = champion.fitness_high - champion.fitness
    return not standing.level >= champion.fitness - math.hypot(standing.error, theirs)


def _half_interval(values: Tensor) -> float:
    """Return half the 95 % interval of the mean of `values (n,)`; infinite for less than two."""
    count = len(values)
    return (
        student(count - 1) * float(values.double().std()) / math.sqrt(count)
        if count > 1
        else math.inf
    )


def student(freedom: int) -> float:
    """Return the two-sided 95 % quantile of Student's t (Abramowitz & Stegun 26.7.5; 1 % off at 3
    degrees)."""
    if freedom < 1:
        return math.inf
    z, n = _Z, float(freedom)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return float(z + first / n + second / n**2 + third / n**3)


@dataclass
class FitnessTracker:
    """How a candidate does while it trains, from what its exploring worlds do at every step.

    Episodes that ended are no measure early on: those that fell end first. Instead: fitness per
    step, times the length that an episode would have if the chance to end stayed what it is.
    """

    iterations: list[tuple[float, float, int]] = field(default_factory=list)
    """Fitness, ends and steps of each."""

    def add(self, fitness: float, ends: float, steps: int) -> None:
        """Take in one iteration of all worlds."""
        self.iterations.append((fitness, ends, steps))

    def standing(self, max_episode_steps: int, of: int) -> RungEstimate:
        """Return where a candidate stands now in a training that has `of` iterations in all."""
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
    """Return the fitness of an episode where `steps` steps brought `fitness` in all and `ends` of
    them an end.

    With a chance h to end at each step, an episode of at most T steps lasts (1 - (1 - h)^T) / h
    steps on average.
    """
    chance = ends / steps
    length = (
        (1.0 - (1.0 - chance) ** max_episode_steps) / chance
        if chance > 0.0
        else float(max_episode_steps)
    )
    return fitness / steps * length

"""Racing: most candidates of a generation need not train to the end to be told from the best.

Successive halving (Karnin et al. 2013; Jamieson & Talwalkar 2016): at a few rungs of the training the better half goes
on. Who is better is what the exploring worlds of the last tenth of the training say: the policy of one moment may be a
lucky one or an unlucky one. Three things keep a race from losing the winner:

- who cannot be told from the leader goes on: every policy is evaluated on the same start states, and the 95 % interval
  of the difference, episode by episode, holds 0;
- a late bloomer goes on, too: of those behind, the one that is bound to overtake the leader if both curves go on as
  they bend now;
- all candidates train exactly as they would without the others, so a race changes who goes on and nothing else.

Who is clearly behind the run's best so far, as that one was at the same rung, stops too, while enough others go on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from eureka_agent.records import Evaluation

_Z = 1.959964  # the normal distribution's two-sided 95 %
_STRETCH = 0.1
"""Share of the training that a level is measured over: shorter is noise, longer is what it was."""


@dataclass(frozen=True)
class Standing:
    """One candidate at a rung."""

    fitness: Tensor
    """`(episodes,)`, deterministic; entry `i` of every candidate is from the same start state."""
    level: float
    """Fitness of an episode of the exploring worlds, over the last tenth of the training: what the order goes by."""
    climb: float = 0.0
    """Gain of `level` per whole training, at the pace of now."""
    bend: float = 0.0
    """Change of `climb` per whole training: positive for a late bloomer, negative for whoever levels off."""

    @property
    def mean(self) -> float:
        """Mean fitness of the episodes."""
        return float(self.fitness.double().mean())

    @property
    def order(self) -> float:
        """What candidates are ordered by; -inf where anything is not finite, so that NaN never leads."""
        return self.level if math.isfinite(self.level) and math.isfinite(self.mean) else -math.inf

    def projected(self, left: float) -> float:
        """Return the highest level to expect in what is `left` of the training, by the parabola so far."""
        top = -self.climb / self.bend if self.bend < 0.0 else math.inf
        way = min(left, max(0.0, top))
        return self.order + self.climb * way + 0.5 * self.bend * way**2


def stopped(
    standings: Sequence[Standing], places: int, *, done: float, minimum: int = 1, champion: Evaluation | None = None
) -> list[str | None]:
    """Return for each candidate why it stops here, or None for those that go on.

    `places`: how many go on if chance leaves them apart. `done`: share of the training that is over. `champion`: the
    run's best so far, as it was at this rung; `minimum` go on even if it leaves all behind.
    """
    order = sorted(range(len(standings)), key=lambda k: -standings[k].order)
    leader = standings[order[0]]
    bloomer = _late_bloomer(standings, order, places, left=1.0 - done)
    best = max(leader.mean, champion.fitness if champion else -math.inf)
    reasons: list[str | None] = []
    for k, standing in enumerate(standings):
        lost = (k not in order[:places] and behind(standing.fitness, leader.fitness)) or (
            champion is not None and behind_champion(standing.fitness, champion)
        )
        if lost and k != bloomer and k not in order[:minimum]:
            reasons.append(f"fitness {standing.mean:.3g} against {best:.3g} after {100 * done:.0f} % of the training")
        else:
            reasons.append(None)
    return reasons


def _late_bloomer(standings: Sequence[Standing], order: Sequence[int], places: int, *, left: float) -> int | None:
    """Return who has no place by fitness and is bound to overtake the leader if both go on as they do."""
    bloomer = max(order[places:], key=lambda k: standings[k].projected(left), default=None)
    if bloomer is None or standings[bloomer].projected(left) <= standings[order[0]].projected(left):
        return None
    return bloomer


def behind(one: Tensor, other: Tensor) -> bool:
    """Whether `one (episodes,)` is worse than `other` beyond chance: paired, 95 %; so is what is not finite."""
    difference = (other - one).double()
    if not torch.isfinite(difference).all():
        return not bool(torch.isfinite(one).all())
    count = len(difference)
    error = float(difference.std()) / math.sqrt(count) if count > 1 else math.inf
    return float(difference.mean()) > student(count - 1) * error


def behind_champion(fitness: Tensor, champion: Evaluation) -> bool:
    """Whether `fitness (episodes,)` is worse than a mean that is known with its interval only."""
    count = len(fitness)
    error = float(fitness.double().std()) / math.sqrt(count) if count > 1 else math.inf
    theirs = (champion.fitness_high - champion.fitness_low) / (2 * _Z)
    mean = float(fitness.double().mean())
    return not mean >= champion.fitness - student(count - 1) * math.hypot(error, theirs)


def student(freedom: int) -> float:
    """Return the two-sided 95 % quantile of Student's t (Abramowitz & Stegun 26.7.5; 1 % off at 3 degrees)."""
    if freedom < 1:
        return math.inf
    z, n = _Z, float(freedom)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return float(z + first / n + second / n**2 + third / n**3)


@dataclass
class Pace:
    """How fast a candidate climbs while it trains, from what its exploring worlds do at every step.

    Episodes that ended are no measure early on: those that fell end first. Instead: fitness per step, times the
    length that an episode would have if the chance to end stayed what it is.
    """

    iterations: list[tuple[float, float, int]] = field(default_factory=list)
    """Fitness, ends and steps of each."""

    def add(self, fitness: float, ends: float, steps: int) -> None:
        """Take in one iteration of all worlds."""
        self.iterations.append((fitness, ends, steps))

    def now(self, max_episode_steps: int, of: int) -> tuple[float, float, float]:
        """Return level, climb and bend (see `Standing`) in a training that has `of` iterations in all."""
        past = self.iterations
        level = expected_fitness(past[-max(1, round(_STRETCH * of)) :], max_episode_steps)
        third = len(past) // 3
        if third == 0:
            return level, 0.0, 0.0
        parts = (past[:third], past[third:-third], past[-third:])
        early, middle, late = (expected_fitness(part, max_episode_steps) for part in parts)
        pace = of / (0.5 * (len(past) - third))  # per distance between the middles of neighbouring parts
        climb, bend = (late - middle) * pace, (late - 2.0 * middle + early) * pace**2
        return (level, climb, bend) if math.isfinite(climb + bend) else (level, 0.0, 0.0)


def expected_fitness(iterations: Sequence[tuple[float, float, int]], max_episode_steps: int) -> float:
    """Return the fitness of an episode from (fitness, ends, steps) of some iterations.

    With a chance h to end at each step, an episode of at most T steps lasts (1 - (1 - h)^T) / h steps on average.
    """
    fitness, ends, steps = (sum(column) for column in zip(*iterations, strict=True))
    chance = ends / steps
    length = (1.0 - (1.0 - chance) ** max_episode_steps) / chance if chance > 0.0 else float(max_episode_steps)
    return float(fitness / steps * length)

"""What a reward is worth: an estimate over training seeds.

Training with the same reward and another seed gives another fitness, and often the luck of a
training is larger than what rewards differ by. The best of many single trainings is therefore
mostly a lucky one. An estimate shrinks the mean of a candidate's trainings towards the mean of its
generation, more so the fewer trainings it has (empirical Bayes: Efron and Morris 1973, "Stein's
Estimation Rule and Its Competitors", section 2, with a noise that all candidates share). It can be
compared with others, whatever their number of trainings, and for the best of many it is much less
too high than the mean (docs/seeds.md has figures).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtrit

from eureka_agent.records import Baseline, Outcome

_LEVEL = 0.975


@dataclass(frozen=True)
class Estimate:
    """The fitness that a reward's trainings have on average, as far as it is known."""

    value: float
    """The shrunken mean."""
    low: float
    high: float
    """95 % interval of the mean over training seeds; infinite where the noise is unknown."""
    seeds: int
    """Number of trainings."""

    @property
    def error(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2.0


@dataclass(frozen=True)
class Noise:
    """How much the fitness differs between the trainings of one reward."""

    variance: float
    """Pooled over all rewards with at least two trainings."""
    freedom: int
    """Degrees of freedom; 0: nothing was trained twice, and the noise is unknown."""


def pooled_noise(fitness: Sequence[Sequence[float]]) -> Noise:
    """Return the variance between the trainings of a reward, pooled over rewards.

    Args:
        fitness: For each reward the fitness of its trainings.
    """
    repeated = [np.asarray(values) for values in fitness if len(values) > 1]
    freedom = sum(len(values) - 1 for values in repeated)
    if not freedom:
        return Noise(math.inf, 0)
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in repeated)
    return Noise(squares / freedom, freedom)


def estimate_group(fitness: Mapping[str, Sequence[float]], noise: Noise) -> dict[str, Estimate]:
    """Estimate the fitness of rewards that were proposed together.

    Each mean is moved towards the mean of all by `noise / n / (noise / n + spread)`, where `spread`
    is the variance of the true means: that of the observed means less what noise explains of it.

    Args:
        fitness: For each reward, by name, the fitness of its trainings; at least one each.
        noise: The noise of a training.

    Returns:
        The estimates by name.
    """
    means = {name: float(np.mean(values)) for name, values in fitness.items()}
    if not noise.freedom:
        return {
            name: Estimate(mean, -math.inf, math.inf, len(fitness[name]))
            for name, mean in means.items()
        }
    own = {name: noise.variance / len(values) for name, values in fitness.items()}
    centre = float(np.mean(list(means.values())))
    observed = float(np.var(list(means.values()), ddof=1)) if len(means) > 1 else math.inf
    spread = max(0.0, observed - float(np.mean(list(own.values()))))
    of_centre = 0.0 if math.isinf(observed) else observed / len(means)
    width = float(stdtrit(noise.freedom, _LEVEL))
    found = {}
    for name, mean in means.items():
        weight = 1.0 if own[name] == 0.0 or math.isinf(spread) else spread / (spread + own[name])
        value = centre + weight * (mean - centre)
        # what is left of the noise, and what is unknown of the mean that it is moved towards
        error = width * math.sqrt(own[name] * weight + (1.0 - weight) ** 2 * of_centre)
        found[name] = Estimate(value, value - error, value + error, len(fitness[name]))
    return found


def estimates_of(
    outcomes: Sequence[Outcome], baselines: Sequence[Baseline] = ()
) -> dict[str, Estimate]:
    """Estimate the fitness of all rewards of a run; each generation is a group of its own.

    Args:
        outcomes: Candidates; those that failed have no estimate.
        baselines: The human and the sparse reward, which tell something of the noise, too.

    Returns:
        The estimates by the candidates' names and the baselines' names.
    """
    trained = [outcome for outcome in outcomes if outcome.fitness_by_seed]
    references = {each.name: each.fitness_by_seed for each in baselines if each.name != "random"}
    originals = [o.fitness_by_seed for o in trained if o.duplicate_of is None]
    noise = pooled_noise([*originals, *references.values()])
    found: dict[str, Estimate] = {}
    for generation in dict.fromkeys(outcome.candidate.generation for outcome in trained):
        members = [o for o in trained if o.candidate.generation == generation]
        group = {member.candidate.name: member.fitness_by_seed for member in members}
        found |= estimate_group(group, noise)
    for name, fitness in references.items():
        found |= estimate_group({name: fitness}, noise)
    return found


def expected(
    best: Outcome, outcomes: Sequence[Outcome], baselines: Sequence[Baseline]
) -> Estimate | None:
    """Estimate the fitness that the best reward reaches with a new training seed.

    The mean of its own trainings is too high, because they chose it.

    Args:
        best: The best candidate.
        outcomes: All candidates of the run.
        baselines: The references.

    Returns:
        Its estimate; None if it was trained once, which does not tell.
    """
    if len(best.fitness_by_seed) < 2:
        return None
    return estimates_of(outcomes, baselines).get(best.candidate.name)


def probability_better(a: Estimate, b: Estimate) -> float:
    """Return the probability that `a` is worth more than `b` (0.5 if that is unknown)."""
    difference = a.value - b.value
    error = math.hypot(a.error, b.error) / 1.96
    if math.isinf(error) or (error == 0.0 and difference == 0.0):
        return 0.5
    if error == 0.0:
        return float(difference > 0.0)
    return float(ndtr(difference / error))

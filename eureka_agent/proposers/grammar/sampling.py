"""Draw new terms and whole new rewards from the priors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

from eureka_agent.proposers.grammar.genome import Factor, Feature, Genome, Shape, Term, rounded
from eureka_agent.proposers.grammar.measures import SHAPES, measure_of, typical
from eureka_agent.proposers.grammar.vocabulary import Vocabulary

T = TypeVar("T")

_GATES: Mapping[str, tuple[Shape, ...]] = {
    "cost": ("exp", "inverse", "indicator"),
    "gain": ("exp", "inverse", "indicator"),
    "signal": ("indicator",),
    "constant": (),
}
"""Shapes with values in [0, 1], which can gate another term."""
_MIXES = ((1, 0), (1, 1), (2, 0), (2, 1), (3, 1), (2, 2))
"""Numbers of goal terms and regularisers in a new reward, from simple to complex."""
_SPREAD = 3.0
"""Weights and scales of new terms lie within this factor of their typical value."""
_MAX_WEIGHT, _MAX_SCALE = 100.0, 10.0
"""Largest factors by which mutations may change weights and scales from their typical values."""
_GATE_PROBABILITY = 0.25


def pick(random: Random, options: Mapping[T, float]) -> T:
    """Draw one of `options` with the given relative weights."""
    (chosen,) = random.choices(list(options), list(options.values()))
    return chosen


def simplest(vocabulary: Vocabulary) -> Genome:
    """Return the simplest reading of the task: its likeliest feature in its simplest shape."""
    return _with_survival_bonus(Genome((plain_term(vocabulary, vocabulary.goals[0]),)), vocabulary)


def fresh(
    vocabulary: Vocabulary, random: Random, complexity: int, lead: int | None = None
) -> Genome:
    """Draw a new reward.

    `complexity` 0 to 5 sets the number of terms; `lead` is the index of the likely goal that comes
    first.
    """
    goals, regularisers = _MIXES[min(complexity, len(_MIXES) - 1)]
    candidates = vocabulary.goals
    first = [] if lead is None else [candidates[lead % len(candidates)]]
    chosen = first + _draw(vocabulary, random, candidates, goals - len(first), first)
    chosen += _draw(vocabulary, random, vocabulary.regularisers, regularisers, chosen)
    terms = [new_term(vocabulary, random, feature) for feature in chosen]
    if goals > 1 and random.random() < _GATE_PROBABILITY:
        index = random.randrange(goals) if goals <= len(terms) else 0
        terms[index] = gated(vocabulary, random, terms[index]) or terms[index]
    return _with_survival_bonus(Genome(tuple(terms)), vocabulary)


def any_feature(
    vocabulary: Vocabulary, random: Random, avoid: Sequence[Feature] = ()
) -> Feature | None:
    """Draw a feature, usually a goal, that is not in `avoid`; None if there is none."""
    pools = [vocabulary.goals, vocabulary.regularisers]
    if random.random() < 0.2:
        pools.reverse()
    for pool in pools:
        if found := _draw(vocabulary, random, pool, 1, avoid):
            return found[0]
    return None


def plain_term(vocabulary: Vocabulary, feature: Feature) -> Term:
    """Return the term that asks for `feature` in its simplest shape, with typical numbers."""
    shape = next(iter(SHAPES[measure_of(feature).polarity]))
    return Term(
        _base_weight(vocabulary, feature, shape), (_factor(vocabulary, feature, shape, 1.0),)
    )


def level(vocabulary: Vocabulary, genome: Genome) -> float:
    """Return the largest weight of a reward, in units of the terms' typical weights."""
    return max(
        abs(term.weight / _base_weight(vocabulary, term.main.feature, term.main.shape))
        for term in genome.terms
    )


def new_term(vocabulary: Vocabulary, random: Random, feature: Feature, level: float = 1.0) -> Term:
    """Draw shape, scale and weight of a term for `feature`; `level` multiplies its weight."""
    measure = measure_of(feature)
    shape: Shape = "linear" if measure.regulariser else pick(random, SHAPES[measure.polarity])
    weight = _base_weight(vocabulary, feature, shape) * spread(random, _SPREAD) * level
    return Term(rounded(weight), (_factor(vocabulary, feature, shape, spread(random, _SPREAD)),))


def reshaped(vocabulary: Vocabulary, random: Random, term: Term) -> Term | None:
    """Return `term` with another shape of its main factor, or None if there is no other."""
    feature = term.main.feature
    polarity = measure_of(feature).polarity
    others = {shape: prior for shape, prior in SHAPES[polarity].items() if shape != term.main.shape}
    if polarity == "cost" and len(term.factors) > 1:
        others.pop("linear", None)  # a gated penalty would reward leaving the gate
    if not others:
        return None
    shape = pick(random, others)
    weight = math.copysign(_base_weight(vocabulary, feature, shape), term.weight)
    factor = _factor(vocabulary, feature, shape, spread(random, _SPREAD))
    return Term(rounded(weight), (factor, *term.factors[1:]))


def gated(vocabulary: Vocabulary, random: Random, term: Term) -> Term | None:
    """Return `term` gated by a second feature, or None if no feature can gate it."""
    if term.main.shape == "linear" and measure_of(term.main.feature).polarity == "cost":
        return None  # a gated penalty would reward leaving the gate
    used = {factor.feature for factor in term.factors}
    options = {
        feature: vocabulary.prior(feature)
        for feature in vocabulary.features
        if feature not in used
        and _GATES[measure_of(feature).polarity]
        and measure_of(feature).prior >= 0.3
        and feature.measure not in ("effort", "smoothness")
        and vocabulary.direction(feature) > 0
    }
    if not options:
        return None
    feature = pick(random, options)
    shape = random.choice(_GATES[measure_of(feature).polarity])
    return Term(
        term.weight, (term.main, _factor(vocabulary, feature, shape, spread(random, _SPREAD)))
    )


def spread(random: Random, factor: float) -> float:
    """Draw a multiplier, log-uniform between `1 / factor` and `factor`."""
    return math.exp(random.uniform(-1.0, 1.0) * math.log(factor))


def bounded(vocabulary: Vocabulary, term: Term) -> Term:
    """Return `term` with weight and scales within sane multiples of their typical values."""
    base = abs(_base_weight(vocabulary, term.main.feature, term.main.shape))
    weight = math.copysign(_clipped(abs(term.weight), base, _MAX_WEIGHT), term.weight)
    return Term(weight, tuple(_bounded_factor(vocabulary, factor) for factor in term.factors))


def _bounded_factor(vocabulary: Vocabulary, factor: Factor) -> Factor:
    if factor.shape == "linear":
        return factor
    scale = _clipped(factor.scale, typical(factor.feature, vocabulary.spec), _MAX_SCALE)
    return Factor(factor.feature, factor.shape, scale)


def _clipped(value: float, centre: float, factor: float) -> float:
    return rounded(min(max(value, centre / factor), centre * factor))


def _factor(vocabulary: Vocabulary, feature: Feature, shape: Shape, multiplier: float) -> Factor:
    if shape == "linear":
        return Factor(feature, shape)
    return Factor(feature, shape, rounded(typical(feature, vocabulary.spec) * multiplier))


def _base_weight(vocabulary: Vocabulary, feature: Feature, shape: Shape) -> float:
    """Return the weight that makes a term about 1 (a penalty 0.01) at its typical size."""
    size = 0.01 if measure_of(feature).regulariser and feature.measure != "alive" else 1.0
    if shape == "linear" and measure_of(feature).polarity in ("signal", "cost"):
        size /= typical(feature, vocabulary.spec)
    return rounded(size * vocabulary.direction(feature))


def _draw(
    vocabulary: Vocabulary,
    random: Random,
    pool: Sequence[Feature],
    count: int,
    avoid: Sequence[Feature],
) -> list[Feature]:
    """Draw up to `count` different features by their priors."""
    options = {feature: vocabulary.prior(feature) for feature in pool if feature not in avoid}
    chosen: list[Feature] = []
    while options and len(chosen) < count:
        chosen.append(pick(random, options))
        del options[chosen[-1]]
    return chosen


def _with_survival_bonus(genome: Genome, vocabulary: Vocabulary) -> Genome:
    """Add a bonus for each step if every term is a penalty: ending the episode early would pay."""
    penalties = [
        t
        for t in genome.terms
        if t.main.shape == "linear" and measure_of(t.main.feature).polarity == "cost"
    ]
    if len(penalties) < len(genome.terms):
        return genome
    return Genome((*genome.terms, plain_term(vocabulary, Feature("alive"))))

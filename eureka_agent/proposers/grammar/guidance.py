"""Reading a parent's training: which of its components to strengthen, rescale, reshape or drop.

The same numbers that a language model reads in the reflection (Eureka, section 3.3): the range of each component
over the training, and how its curve goes with the fitness.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from eureka_agent.proposers.grammar.genome import Feature, Genome
from eureka_agent.proposers.grammar.measures import measure_of
from eureka_agent.records import Curve, Outcome

DOMINANCE = 10.0
"""A component this many times larger than every other goal component drowns them."""
_FLAT = 0.02
"""A component whose range over the training is below this share of its size taught nothing."""
_CORRELATED = 0.3
_DOUBT = 0.5
"""How many terms that showed nothing a feature starts with."""
Shown: TypeAlias = tuple[Genome, Sequence["Advice"]]
"""A reward that was trained, and what its training says of its terms."""


@dataclass(frozen=True)
class Advice:
    """What the parent's training says about one term; the default says nothing."""

    dominance: float = 1.0
    """How many times larger than the largest other goal component, where that is more than `DOMINANCE`."""
    flat: bool = False
    correlation: float = 0.0
    """Of the component's curve with the fitness curve; 0 where it is too small to mean anything."""

    size: float = 0.0
    """The component's largest size over the training, in units of the reward; 0 where that is not known."""

    @property
    def harmful(self) -> bool:
        """Whether the component went down while the fitness went up."""
        return self.correlation < 0.0

    @property
    def helpful(self) -> bool:
        """Whether the component and the fitness went up together."""
        return self.correlation > 0.0


def advise(genome: Genome, components: Sequence[str], outcome: Outcome) -> tuple[Advice, ...]:
    """Return one advice a term; `components` are the terms' names in the parent's training record."""
    training = outcome.training
    if training is None:
        return (Advice(),) * len(genome.terms)
    curves = {curve.name: curve for curve in training.components}
    sizes = [_size(curves[name]) if name in curves else math.nan for name in components]
    goals = [not measure_of(term.main.feature).regulariser for term in genome.terms]
    advices = []
    for i, name in enumerate(components):
        curve = curves.get(name)
        if curve is None:
            advices.append(Advice())
            continue
        others = [size for j, size in enumerate(sizes) if j != i and goals[j] and size > 0.0]
        ratio = sizes[i] / max(others) if others else 1.0
        constant = measure_of(genome.terms[i].main.feature).polarity == "constant"
        advices.append(
            Advice(
                dominance=ratio if ratio > DOMINANCE else 1.0,
                flat=_is_flat(curve) and not constant,
                correlation=_telling(training.correlations.get(name, math.nan)),
                size=sizes[i] if math.isfinite(sizes[i]) else 0.0,
            )
        )
    return tuple(advices)


def credit(run: Sequence[Shown], direction: Callable[[Feature], int]) -> dict[Feature, float]:
    """Return what a run has shown of each feature, from -1 to 1: half from rank, half from correlation.

    `run`: every reward that was trained, best first; the best ranks 1, the worst -1. A term that wants the
    opposite of the usual `direction` speaks against its feature. Means over few terms are shrunk towards 0.
    """
    shown: dict[Feature, list[float]] = {}
    for place, (genome, advices) in enumerate(run):
        rank = 1.0 - 2.0 * place / (len(run) - 1) if len(run) > 1 else 0.0
        for term, advice in zip(genome.terms, advices, strict=True):
            feature = term.main.feature
            sign = math.copysign(1.0, term.weight * direction(feature))
            shown.setdefault(feature, []).append(sign * (rank + advice.correlation) / 2.0)
    return {feature: sum(values) / (len(values) + _DOUBT) for feature, values in shown.items()}


def _size(curve: Curve) -> float:
    return max(abs(curve.maximum), abs(curve.minimum))


def _is_flat(curve: Curve) -> bool:
    return curve.maximum - curve.minimum <= _FLAT * _size(curve)


def _telling(correlation: float) -> float:
    return correlation if abs(correlation) >= _CORRELATED else 0.0

"""Read a parent's training: which components to strengthen, rescale, reshape or drop.

It uses the numbers that a language model reads in the reflection (Eureka, section 3.3): the range
of each component over the training, and how its curve relates to the fitness.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from eureka_agent.proposers.grammar.genome import Feature, Genome
from eureka_agent.proposers.grammar.measures import measure_of
from eureka_agent.records import Outcome

DOMINANCE = 10.0
"""A component that is larger than every other goal component by this factor drowns them."""
_FLAT = 0.02
"""A component whose range over the training is below this share of its size taught nothing."""
_CORRELATED = 0.3
_DOUBT = 0.5
"""Number of uninformative terms that each feature starts with, as a prior."""
_RIDGE = 1.0
"""Weight of the prior that a feature has no effect, in rewards."""

Shown: TypeAlias = tuple[Genome, Sequence["Advice"]]
"""A reward that was trained, and the advice on its terms."""


@dataclass(frozen=True)
class Advice:
    """What the parent's training says about one term; the default says nothing."""

    dominance: float = 1.0
    """Ratio to the largest other goal component if above `DOMINANCE`, else 1."""
    flat: bool = False
    correlation: float = 0.0
    """Correlation of the component's curve with the fitness curve; 0 if it is insignificant."""

    size: float = 0.0
    """The component's largest size over the training, in units of the reward; 0 if unknown."""

    @property
    def harmful(self) -> bool:
        """Whether the component fell while the fitness rose."""
        return self.correlation < 0.0

    @property
    def helpful(self) -> bool:
        """Whether the component and the fitness rose together."""
        return self.correlation > 0.0


def advise(genome: Genome, components: Sequence[str], outcome: Outcome) -> tuple[Advice, ...]:
    """Return one advice for each term; `components` are the terms' names in the training record."""
    training = outcome.training
    if training is None:
        return (Advice(),) * len(genome.terms)
    curves = {curve.name: curve for curve in training.components}
    sizes = [curves[name].size if name in curves else math.nan for name in components]
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
                flat=curve.is_flat(_FLAT) and not constant,
                correlation=_significant(training.correlations.get(name, math.nan)),
                size=sizes[i] if math.isfinite(sizes[i]) else 0.0,
            )
        )
    return tuple(advices)


def credit(
    run: Sequence[Shown], direction: Callable[[Feature], int], ranks: Sequence[float] | None = None
) -> dict[Feature, float]:
    """Return what a run has shown about each feature, from -1 to 1: effect plus correlation.

    `run`: every trained reward, best first. `ranks`: 1 for the best to -1 for the worst, by default
    equally spaced. The effect is the feature's coefficient in a ridge regression of the rank on the
    features of each reward, so that a feature gets no credit for the features that occur next to
    it. A term that wants the opposite of the usual `direction` counts as -1. Correlations are means
    over the feature's terms, shrunk towards 0 if there are few.
    """
    features = list(dict.fromkeys(term.main.feature for genome, _ in run for term in genome.terms))
    column = {feature: j for j, feature in enumerate(features)}
    has = np.zeros((len(run), len(features)))
    correlation, count = np.zeros(len(features)), np.full(len(features), _DOUBT)
    for row, (genome, advices) in zip(has, run, strict=True):
        for term, advice in zip(genome.terms, advices, strict=True):
            j = column[term.main.feature]
            row[j] = math.copysign(1.0, term.weight * direction(term.main.feature))
            correlation[j] += row[j] * advice.correlation
            count[j] += 1.0
    if ranks is None:
        ranks = np.linspace(1.0, -1.0, len(run)).tolist() if len(run) > 1 else [0.0] * len(run)
    effect = np.linalg.solve(has.T @ has + _RIDGE * np.eye(len(features)), has.T @ np.array(ranks))
    return dict(
        zip(features, np.clip(effect + correlation / count, -1.0, 1.0).tolist(), strict=True)
    )


def _significant(correlation: float) -> float:
    return correlation if abs(correlation) >= _CORRELATED else 0.0

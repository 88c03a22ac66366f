"""Genomes: a reward function as a small immutable tree, and its one-line JSON form.

::

    Genome   reward = sum of terms
    Term     weight * factor * factor ...        (a second factor gates the first)
    Factor   shape(feature / scale)
    Feature  one number per environment: a distance, a velocity along x, how upright ...

The JSON line is in the completion's text, outside the code. A parent's tree can be read back from
it, and the code remains as a person would write it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import TypeAdapter, ValidationError

Shape = Literal["linear", "exp", "tanh", "inverse", "indicator"]

_MARK = "Genome: "
_LINE = re.compile(rf"^{_MARK}(\{{.*\}})\s*$", re.MULTILINE)
_DIGITS = 3


@dataclass(frozen=True)
class Feature:
    """One number per environment: `measure` (see `measures.MEASURES`) of the variables `names`."""

    measure: str
    names: tuple[str, ...] = ()
    axis: int | None = None
    """The entry of the last dimension, if only one is read."""


@dataclass(frozen=True)
class Factor:
    """A feature with a shape."""

    feature: Feature
    shape: Shape
    scale: float = 1.0
    """The temperature or threshold, in the feature's unit; 1 for `linear`."""


@dataclass(frozen=True)
class Term:
    """One component of the reward: `weight` times the product of its factors."""

    weight: float
    factors: tuple[Factor, ...]

    @property
    def main(self) -> Factor:
        """The factor that the term rewards; further factors gate it."""
        return self.factors[0]


@dataclass(frozen=True)
class Genome:
    """A whole reward: the sum of its terms."""

    terms: tuple[Term, ...]

    @cached_property
    def key(self) -> frozenset[Term]:
        """Equal for rewards that differ only in the order of terms or by a common factor."""
        largest = max(abs(term.weight) for term in self.terms) or 1.0
        return frozenset(Term(rounded(term.weight / largest), term.factors) for term in self.terms)


_ADAPTER = TypeAdapter(Genome)


def rounded(value: float) -> float:
    """Return `value` with three significant digits, so that practically equal rewards are equal."""
    if value == 0.0 or not math.isfinite(value):
        return value
    return round(value, _DIGITS - 1 - math.floor(math.log10(abs(value))))


def to_line(genome: Genome) -> str:
    """Return the genome as the line that `from_text` finds."""
    return _MARK + _ADAPTER.dump_json(genome).decode()


def from_text(text: str) -> Genome | None:
    """Return the genome in a completion's text, or None if there is no valid one.

    Whether its features exist in a task is not checked here: see `Vocabulary.accepts`.
    """
    lines = _LINE.findall(text)
    if not lines:
        return None
    try:
        genome = _ADAPTER.validate_json(lines[-1])
    except ValidationError:
        return None
    return genome if genome.terms and all(map(_is_valid, genome.terms)) else None


def _is_valid(term: Term) -> bool:
    scales = [factor.scale for factor in term.factors]
    return (
        bool(scales)
        and math.isfinite(term.weight)
        and all(math.isfinite(s) and s > 0 for s in scales)
    )

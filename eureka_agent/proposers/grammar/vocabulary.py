"""The features of a task's state and their priors, from variables' kinds and the description."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from eureka_agent.proposers.grammar import keywords
from eureka_agent.proposers.grammar.genome import Factor, Feature, Genome
from eureka_agent.proposers.grammar.measures import (
    SHAPES,
    direction_of,
    entry_unit,
    is_potential,
    measure_of,
    unit,
)
from eureka_agent.tasks.task import StateSpec, StateVariable

_QUATERNIONS = ("quaternion_wxyz", "quaternion_xyzw")
_STATED = 8.0
"""Factor on the prior of a stated goal (`goal_for`, a potential) relative to a guess."""
_OVERLAP = 0.75
"""Increase of a feature's prior for each word that its variables share with the description."""
_CREDIT = 4.0
"""A feature with full credit is e^4 times as likely as one without information."""
_ENTRY = ("element", "magnitude", "cosine")
"""Measures of one entry of a vector; the entries share the prior of a single number."""
_PACKED = {
    re.compile(r"(lin\w*)?_?(v|vel|velocity)_?[xyz]"): "velocity",
    re.compile(r"ang\w*_?(v|vel|velocity)_?[xyz]"): "spin",
    re.compile(r"(pos\w*_)?z|height"): "height",
}
"""Measures by the name of a vector's entry."""
_MAX_ENTRIES = 8
"""Longer vectors are read as a whole: a task is rarely about one entry of forty."""


class Vocabulary:
    """The features of one task with their priors and directions.

    `credit`: what the run has shown about features, from -1 (less is better) to 1.
    """

    def __init__(
        self, spec: StateSpec, description: str, credit: Mapping[Feature, float] | None = None
    ) -> None:
        self.spec = spec
        self._description = description
        self._credit = credit or {}
        self._words = keywords.stems(description)
        self._hints = keywords.hints(description)
        self._action = next(
            (v.name for v in spec.variables if v.kind == "action" and len(v.shape) == 1), None
        )
        self._linear = {v.frame for v in spec.variables if v.kind == "linear_velocity"}

    def with_credit(self, credit: Mapping[Feature, float]) -> Vocabulary:
        """Return the same vocabulary with the credit of the run so far."""
        return Vocabulary(self.spec, self._description, credit)

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """Every feature, in the order of the state."""
        spec = self.spec
        single = (
            feature for v in spec.variables if _stands_alone(v, spec) for feature in self._of_one(v)
        )
        return tuple(dict.fromkeys((*self._goals(), *single, *self._pairs(), Feature("alive"))))

    @cached_property
    def goals(self) -> tuple[Feature, ...]:
        """Features that can be the goal of the task, most likely first."""
        found = [feature for feature in self.features if not measure_of(feature).regulariser]
        found = found or list(self.features)
        return tuple(sorted(found, key=lambda feature: -self.prior(feature)))

    @cached_property
    def regularisers(self) -> tuple[Feature, ...]:
        """Features of good behaviour: effort, smoothness, speed, posture, staying alive."""
        return tuple(feature for feature in self.features if measure_of(feature).regulariser)

    def prior(self, feature: Feature) -> float:
        """Return the feature's prior weight, before normalisation."""
        hinted = math.prod((hint.factor for hint in self._hints_for(feature)), start=1.0)
        stated = _STATED if self._is_stated(feature) else 1.0
        entries = feature.measure in _ENTRY and feature.axis is not None
        siblings = self.spec[feature.names[0]].shape[-1] if entries else 1
        named = 1.0 + _OVERLAP * self._overlap(feature)
        return measure_of(feature).prior * stated * hinted * named * self.trust(feature) / siblings

    def trust(self, feature: Feature) -> float:
        """Return the factor by which the run has made a feature more likely, 1 by default."""
        return math.exp(_CREDIT * self._credit.get(feature, 0.0))

    def direction(self, feature: Feature) -> int:
        """Return -1 if less of a signal is wanted, else 1.

        Less is wanted when running backward or lying down, or of a flag for a failure.
        """
        if feature.measure == "flag":
            variable = self.spec[feature.names[0]]
            return (
                -1
                if keywords.stems(f"{variable.name} {variable.meaning}") & keywords.BAD_EVENTS
                else 1
            )
        return -1 if any(hint.sign < 0 for hint in self._hints_for(feature)) else 1

    def accepts(self, genome: Genome) -> bool:
        """Whether every factor of `genome` belongs to this task's vocabulary."""
        return all(self._accepts(factor) for term in genome.terms for factor in term.factors)

    def _accepts(self, factor: Factor) -> bool:
        return (
            factor.feature in self.features
            and factor.shape in SHAPES[measure_of(factor.feature).polarity]
        )

    # ------------------------------------------------------------------ features
    def _of_one(self, v: StateVariable) -> Iterator[Feature]:
        name, rank = (v.name,), len(v.shape)
        match v.kind:
            case "position" if rank == 2 and v.shape[-1] == 3:
                yield Feature("height", name)
            case "position" if rank == 1 and v.shape[-1] == 3:
                yield Feature("height", name)
                yield Feature("centre", name)
                if v.frame not in self._linear:
                    yield from (Feature("displacement", name, axis) for axis in range(3))
            case "linear_velocity" if v.shape == (3,):
                yield from (Feature("velocity", name, axis) for axis in range(3))
                yield Feature("speed", name)
            case "angular_velocity" if v.shape == (3,):
                yield from (Feature("spin", name, axis) for axis in range(3))
                yield Feature("speed", name)
            case "quaternion_wxyz" | "quaternion_xyzw" if v.shape == (4,):
                yield Feature("upright", name)
            case "unit_vector" if v.shape == (3,):
                yield Feature("upright", name)
                yield from (Feature("heading", name, axis) for axis in range(2))
            case "action" if v.name == self._action:
                yield Feature("effort", name)
                yield Feature("smoothness", name)
            case "flag" if rank == 0:
                yield Feature("flag", name)
            case "action":
                pass
            case "force":
                yield Feature("force", name)
            case _:
                yield from self._of_numbers(v)

    def _of_numbers(self, v: StateVariable) -> Iterator[Feature]:
        """Yield features of joints, angles, distances, speeds, other numbers and short vectors."""
        name, rank = (v.name,), len(v.shape)
        if rank == 1:
            if v.kind == "joint_positions":
                yield Feature("posture", name)
            else:
                yield Feature("speed", name)
        if rank == 1 and v.elements and len(v.elements) == v.shape[0]:
            yield from self._of_packed(v)
        if rank == 0:
            yield Feature("decrease" if v.kind == "distance" else "increase", name)
        axes: tuple[int | None, ...] = (
            (None,) if rank == 0 else tuple(range(v.shape[0])) if rank == 1 else ()
        )
        for axis in axes if len(axes) <= _MAX_ENTRIES else ():
            yield Feature("element", name, axis)
            yield Feature("magnitude", name, axis)
            if entry_unit(self.spec, v.name, axis) == "rad":
                yield Feature("cosine", name, axis)

    def _of_packed(self, v: StateVariable) -> Iterator[Feature]:
        """Yield features of entries with known names, such as `linvel_x` or `z` of a root state."""
        for entry, element in enumerate(v.elements):
            for pattern, measure in _PACKED.items():
                if pattern.fullmatch(element):
                    yield Feature(measure, (v.name,), entry)

    def _goals(self) -> Iterator[Feature]:
        """Yield features of a variable and its target."""
        for goal in self.spec.variables:
            if goal.goal_for is None or goal.goal_for not in {v.name for v in self.spec.variables}:
                continue
            pair = (goal.goal_for, goal.name)
            if goal.kind in _QUATERNIONS:
                yield from (Feature("rotation", pair), Feature("rotation_progress", pair))
            elif goal.kind == "unit_vector":
                yield Feature("alignment", pair)
            elif self._comparable(*pair):
                yield from (Feature("distance", pair), Feature("progress", pair))

    def _pairs(self) -> Iterator[Feature]:
        """Yield features of two variables of one kind and frame, neither of them a stated goal."""
        things = [
            v for v in self.spec.variables if v.goal_for is None and not _is_past(v, self.spec)
        ]
        for a, b in itertools.combinations(things, 2):
            if _is_given(a) and _is_given(b):
                continue
            if a.kind != b.kind or a.frame != b.frame:
                continue
            pair = (a.name, b.name)
            if a.kind == "position" and self._comparable(*pair):
                yield from (Feature("distance", pair), Feature("progress", pair))
            elif a.kind == "unit_vector" and a.shape == b.shape == (3,):
                yield Feature("alignment", pair)

    def _comparable(self, a: str, b: str) -> bool:
        """Whether `a - b` makes sense: equal shapes, or points and one point."""
        left, right = sorted((self.spec.shapes[a], self.spec.shapes[b]), key=len)
        return len(right) <= 2 and (
            left == right or (len(left) == 1 and len(right) == 2 and left[-1] == right[-1])
        )

    # ------------------------------------------------------------------ priors
    def _hints_for(self, feature: Feature) -> Iterator[keywords.Hint]:
        for hint in self._hints:
            about = hint.measure == feature.measure and hint.axis in (
                None,
                direction_of(feature, self.spec),
            )
            if about and (hint.unit is None or hint.unit == unit(feature, self.spec)):
                yield hint

    def _is_stated(self, feature: Feature) -> bool:
        if len(feature.names) == 2:
            return self.spec[feature.names[1]].goal_for == feature.names[0]
        return feature.measure == "increase" and is_potential(feature.names[0])

    def _overlap(self, feature: Feature) -> int:
        """Return the number of words that the feature's variables share with the description."""
        if not feature.names:
            return 0
        about: set[str] = set()
        for variable in map(self.spec.__getitem__, feature.names):
            entry = (
                feature.axis
                if feature.axis is not None and feature.axis < len(variable.elements)
                else None
            )
            words = variable.elements[entry] if entry is not None else variable.meaning
            about |= keywords.stems(f"{variable.name} {words}")
        return len(about & self._words)


def _stands_alone(variable: StateVariable, spec: StateSpec) -> bool:
    """Whether a variable describes what the robot does, not a given value, the time or the past."""
    return not (_is_given(variable) or variable.name == "episode_time" or _is_past(variable, spec))


def _is_given(variable: StateVariable) -> bool:
    """Whether a variable holds what is wanted or allowed rather than what is."""
    return variable.goal_for is not None or bool(
        keywords.stems(variable.name) & keywords.GOAL_WORDS
    )


def _is_past(variable: StateVariable, spec: StateSpec) -> bool:
    return variable.name.startswith("prev_") and variable.name.removeprefix("prev_") in spec.shapes

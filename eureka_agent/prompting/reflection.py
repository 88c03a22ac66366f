"""Describe a training in words for the next prompt (Eureka's reward reflection, appendix A).

The words are in `prompts/reflection.md`; this module has the thresholds for each sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from eureka_agent.prompting.behaviour import behaviour_text
from eureka_agent.prompting.prompt import render
from eureka_agent.records import Curve, Outcome, TrainingRecord

FindingKind = Literal[
    "zero",
    "constant",
    "flat",
    "dominates",
    "negligible",
    "negative_reward",
    "exploited",
    "short_episodes",
    "diverged",
    "diverged_envs",
]

# Range over the training, as a share of the largest absolute value
_FLAT, _CONSTANT = 0.01, 1e-5
_DOMINANT, _NEGLIGIBLE = 0.8, 0.01  # shares of the components' absolute sum
_ROSE = 0.2  # last minus first value, as a share of the curve's range
_FULL, _SHORT = 0.99, 0.05  # shares of the longest episode


@dataclass(frozen=True)
class CurveFinding:
    """One thing that stands out in the curves."""

    kind: FindingKind
    name: str = ""
    """The component or curve that it is about."""
    value: float = math.nan
    """The number that its sentence gives."""


def reflect(
    outcome: Outcome, *, max_episode_steps: int, fitness_unit: str | None, ends_early: bool = True
) -> str:
    """Return what the next prompt says about an outcome: its curves, evaluation, what stands out.

    Args:
        outcome: a candidate after its generation, or a failed one.
        max_episode_steps: the time limit of an episode, in environment steps.
        fitness_unit: unit of the fitness; None for an instruction without a fitness, so that the
            text does not mention any.
        ends_early: False if no episode ends before the time limit, so that a constant component
            has no effect.

    Returns:
        Markdown.
    """
    return render(
        "reflection.md",
        outcome=outcome,
        findings=findings(
            outcome, max_episode_steps, has_fitness=fitness_unit is not None, ends_early=ends_early
        ),
        behaviour=behaviour_text(
            outcome,
            max_episode_steps=max_episode_steps,
            fitness_unit=fitness_unit,
            ends_early=ends_early,
        ),
        max_episode_steps=max_episode_steps,
        fitness_unit=fitness_unit,
    )


def findings(
    outcome: Outcome, max_episode_steps: int, *, has_fitness: bool, ends_early: bool = True
) -> list[CurveFinding]:
    """Return what stands out in an outcome's training and evaluation."""
    if outcome.training is None:
        return []
    return [
        *_about_divergence(outcome.training),
        *_about_components(outcome.training, ends_early=ends_early),
        *_about_reward(outcome.training, max_episode_steps, has_fitness=has_fitness),
        *(_about_length(outcome, outcome.training, max_episode_steps) if ends_early else ()),
    ]


def shares(training: TrainingRecord) -> dict[str, float]:
    """Return each component's share (0 to 1) of the mean absolute sum; empty if that is 0."""
    sizes = {curve.name: _mean_size(curve) for curve in training.components}
    total = sum(sizes.values())
    return (
        {name: size / total for name, size in sizes.items()}
        if total > 0 and math.isfinite(total)
        else {}
    )


def _about_divergence(training: TrainingRecord) -> Iterator[CurveFinding]:
    for curve in (training.reward, *training.components):
        if not all(map(math.isfinite, (*curve.values, curve.maximum, curve.minimum))):
            yield CurveFinding("diverged", curve.name)
    if training.diverged_envs:
        yield CurveFinding("diverged_envs", value=training.diverged_envs)


def _about_components(training: TrainingRecord, *, ends_early: bool) -> Iterator[CurveFinding]:
    """Yield what stands out in components; a constant bonus works through the episodes' length."""
    share = shares(training)
    for curve in training.components:
        if curve.maximum == curve.minimum == 0.0:
            yield CurveFinding("zero", curve.name)
            continue
        constant = curve.is_flat(_CONSTANT)
        if constant and not ends_early:
            yield CurveFinding("constant", curve.name, curve.mean)
        elif curve.is_flat(_FLAT) and not constant:
            yield CurveFinding("flat", curve.name, curve.mean)
        if len(share) > 1 and share[curve.name] >= _DOMINANT:
            yield CurveFinding("dominates", curve.name, share[curve.name])
        if len(share) > 1 and share[curve.name] < _NEGLIGIBLE:
            yield CurveFinding("negligible", curve.name, share[curve.name])


def _about_reward(
    training: TrainingRecord, max_episode_steps: int, *, has_fitness: bool
) -> Iterator[CurveFinding]:
    if training.reward.maximum < 0.0 and training.episode_length.mean < _FULL * max_episode_steps:
        yield CurveFinding("negative_reward")
    if has_fitness and _change(training.reward) >= _ROSE and _change(training.fitness) <= 0.0:
        yield CurveFinding("exploited")


def _about_length(
    outcome: Outcome, training: TrainingRecord, max_episode_steps: int
) -> Iterator[CurveFinding]:
    values = training.episode_length.values
    if outcome.evaluation:
        length = outcome.evaluation.episode_length
    elif values:
        length = values[-1]
    else:
        return
    if length <= _SHORT * max_episode_steps:
        yield CurveFinding("short_episodes", value=length)


def _mean_size(curve: Curve) -> float:
    sizes = [abs(value) for value in curve.values] or [abs(curve.mean)]
    return sum(sizes) / len(sizes)


def _change(curve: Curve) -> float:
    """Return last minus first value as a share of the curve's range (-1 to 1); NaN when unknown."""
    if len(curve.values) < 2 or not curve.maximum > curve.minimum:
        return math.nan
    return (curve.values[-1] - curve.values[0]) / (curve.maximum - curve.minimum)

"""Describe what a policy did in its evaluation; the words are in `prompts/behaviour.md`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean
from typing import Literal

from eureka_agent.records import (
    TIME_LIMIT,
    Behaviour,
    ComponentEffect,
    Curve,
    EndCause,
    EpisodeSketch,
    QuantitySpread,
    RewardResult,
)
from eureka_agent.text import short_numbers_in_prompt

NoteKind = Literal["alive", "stops", "slows", "rising", "flat", "misdirected"]

_NOTABLE = 0.02
"""Share of the fitness that solves the task, below which a gain is next to nothing."""
_LOST = 0.05
"""Share of the possible fitness that early ends cost, from which it is worth a line."""
_STOPPED, _SLOWER = 0.1, 0.5
"""Gain in the second half of an episode, at most this share of the first half's."""
_CLEAR = 2.0
"""Standard errors from which a difference is not chance (95 %)."""
_LEAST_LATE = 1.0 / 3.0
"""Share of the fitness from the second halves of episodes: half as much as from the first ones."""
_LEAST_FULL = 0.5
"""Fitness of full episodes, as a share of what the rate of all episodes promises."""
_FEWEST_FULL = 4
"""Full episodes from which the halves are compared."""
_RISES = 0.1
"""Rise in the last third of a training, as a share of the curve's range, that counts as rising."""
_FLAT = 0.1
"""Change in the second half of a training, as a share of the curve's range, that counts as flat."""
_FEWEST_POINTS = 8
"""Points of a curve from which its end is judged: a third of them has to show a slope."""
_LARGE_SHARE, _AGAINST = 0.3, -0.6
"""Of the return's variance; correlation with fitness, which chance alone gives in 16 episodes with
a probability of 1.4 %."""
_FEWEST_EPISODES = 12
"""Episodes from which a correlation over them is judged."""
_MOST_ENDS = 5
_MOST_COMPONENTS = 6
_SPREADS_LENGTH, _EPISODES_LENGTH = 1_000, 1_300
"""Characters of the numbers of the state, and of single episodes."""
_EPISODE_WORDS = 35
"""Characters of an episode's line apart from its numbers and its cause."""
_ROUNDING = 0.02
"""Difference of the sum of the variance's shares from 1 up to which the components add up."""


@dataclass(frozen=True)
class BehaviourNote:
    """One thing that follows from the numbers."""

    kind: NoteKind
    name: str = ""
    """The component that it is about."""
    value: float = math.nan
    """The number that its sentence gives."""
    other: float = math.nan
    """A second number."""


@dataclass(frozen=True)
class ShownEpisode:
    """An episode as the text shows it."""

    kind: Literal["typical", "worst"]
    episode: EpisodeSketch
    moments: str
    """Its rows, separated by semicolons."""


@dataclass(frozen=True)
class BehaviourText:
    """What `prompts/behaviour.md` is filled with."""

    behaviour: Behaviour
    notes: Sequence[BehaviourNote]
    components: Sequence[ComponentEffect]
    """Those that explain most of the return's variance; empty if the returns are equal."""
    ends: Sequence[EndCause]
    adds_up: bool
    """Whether the components add up to the reward."""
    correlated: bool
    """Whether the components' correlations with fitness are known."""
    spreads: Sequence[str]
    """One line per number of the state."""
    sketches: Sequence[ShownEpisode]


def behaviour_text(
    outcome: RewardResult,
    *,
    max_episode_steps: int,
    fitness_unit: str | None,
    ends_early: bool = True,
) -> BehaviourText | None:
    """Return what the reflection says about the policy's behaviour; None if it was not recorded.

    Args:
        outcome: A trained reward.
        max_episode_steps: The time limit of an episode, in environment steps.
        fitness_unit: Unit of the fitness; None for an instruction without a fitness, so that
            nothing that depends on it appears.
        ends_early: False if no episode can end before the time limit, so that the end says nothing.
    """
    behaviour = outcome.behaviour
    if behaviour is None:
        return None
    notes: list[BehaviourNote] = []
    if fitness_unit is not None:
        notes += behaviour_notes(behaviour, max_episode_steps)
        if outcome.training is not None and outcome.training.stopped is None:
            notes += training_notes(outcome.training.fitness, behaviour.fitness_solved)
    else:
        behaviour = behaviour.without_fitness()
    known = [each for each in behaviour.components if math.isfinite(each.variance_share)]
    known.sort(key=lambda each: -abs(each.variance_share))
    return BehaviourText(
        behaviour,
        notes,
        ends=behaviour.ends[:_MOST_ENDS] if ends_early else (),
        components=known[:_MOST_COMPONENTS],
        adds_up=abs(1.0 - sum(each.variance_share for each in known)) <= _ROUNDING,
        correlated=any(math.isfinite(each.fitness_correlation) for each in known),
        spreads=_within(map(_spread_line, behaviour.spreads), _SPREADS_LENGTH),
        sketches=_shown_episodes(behaviour),
    )


def behaviour_notes(behaviour: Behaviour, max_episode_steps: int) -> list[BehaviourNote]:
    """Return what follows from the episodes of an evaluation."""
    halves = _about_halves(behaviour)
    # The rate of the whole episode cannot be extrapolated where the policy stops or slows down.
    early = [] if halves else _about_early_ends(behaviour, max_episode_steps)
    return [*early, *halves, *_about_components(behaviour)]


def training_notes(fitness: Curve, solved: float) -> list[BehaviourNote]:
    """Return what follows from the end of a training's fitness curve.

    A policy whose fitness reached `solved` (NaN: not known) learned fast enough, also while it
    still improves.
    The noise of a point is estimated from second differences, which a steady slope does not change:
    for independent noise their mean square is six times its variance.
    """
    values = [value for value in fitness.values if math.isfinite(value)]
    if len(values) < _FEWEST_POINTS:
        return []
    steps = [after - before for before, after in pairwise(values)]
    bends = [after - before for before, after in pairwise(steps)]
    noise = math.sqrt(mean(bend * bend for bend in bends) / 6.0)
    whole = max(values) - min(values)
    if whole <= _least_notable(solved):
        return []
    third = math.ceil(len(values) / 3) + 1
    rise, error = _rise(values[-third:], noise)
    if not values[-1] >= solved and 0.0 < max(_RISES * whole, _CLEAR * error) <= rise:
        return [BehaviourNote("rising", value=rise)]
    half = len(values) // 2
    late, error = _rise(values[half:], noise)
    learned = mean(values[half:]) - values[0]
    # Without a rise before, and with noise that hides a slope, "flat" would say nothing.
    if learned >= 0.5 * whole > 0.0 and abs(late) + error <= _FLAT * whole:
        return [BehaviourNote("flat", value=mean(values[half:]))]
    return []


def _spread_line(spread: QuantitySpread) -> str:
    """Return the medians with their ranges; all numbers have the same precision."""
    numbers = short_numbers_in_prompt([*spread.start, *spread.middle, *spread.end])
    ranges = [
        f"{median} ({low} to {high})"
        for low, median, high in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    ]
    unit = f" ({spread.unit})" if spread.unit else ""
    # What does not change in the precision that is shown has nothing to say.
    return f"{spread.name}{unit}: {', '.join(ranges)}" if len(set(numbers)) > 1 else ""


def _within(lines: Iterable[str], length: int) -> list[str]:
    """Return the lines that are not empty, as many as fit into `length` characters."""
    kept: list[str] = []
    for line in lines:
        length -= len(line)
        if line and length >= 0:
            kept.append(line)
    return kept


def _shown_episodes(behaviour: Behaviour) -> list[ShownEpisode]:
    """Return the episodes with their rows; each column has the same precision in all of them."""
    if not behaviour.columns:
        return []
    episodes = [*behaviour.typical, *behaviour.worst]
    rows = [row for episode in episodes for row in episode.moments]
    columns = [short_numbers_in_prompt(column) for column in zip(*rows, strict=True)][1:]
    texts = [" ".join(row) for row in zip(*columns, strict=True)]
    shown: list[ShownEpisode] = []
    left = _EPISODES_LENGTH
    for index, episode in enumerate(episodes):
        times = short_numbers_in_prompt([row[0] for row in episode.moments])
        own, texts = texts[: len(times)], texts[len(times) :]
        own = [f"{time} {text}" for time, text in zip(times, own, strict=True)]
        kind: Literal["typical", "worst"] = "typical" if index < len(behaviour.typical) else "worst"
        line = "; ".join(own)
        left -= len(line) + len(episode.cause) + _EPISODE_WORDS
        if left >= 0:
            shown.append(ShownEpisode(kind, episode, line))
    return shown


def _rise(values: Sequence[float], noise: float) -> tuple[float, float]:
    """Return how much the fitted line rises over the values, with its standard error."""
    middle = (len(values) - 1) / 2.0
    spread = sum((index - middle) ** 2 for index in range(len(values)))
    slope = sum((index - middle) * value for index, value in enumerate(values)) / spread
    return slope * (len(values) - 1), noise / math.sqrt(spread) * (len(values) - 1)


def _least_notable(solved: float) -> float:
    """Return the fitness that is too little to mention; 0 if no solved value is known (NaN)."""
    return 0.0 if math.isnan(solved) else _NOTABLE * abs(solved)


def _about_early_ends(behaviour: Behaviour, max_episode_steps: int) -> list[BehaviourNote]:
    """Say what early ends cost at the rate that the policy reaches while episodes last.

    The rate counts only if it lasts: in the second halves of episodes, and in the full ones.
    """
    alive = behaviour.fitness_alive
    if not behaviour.late_share >= _LEAST_LATE:
        return []
    full = behaviour.halves
    if full is not None and full.first + full.second < _LEAST_FULL * alive:
        return []
    early = sum(end.episodes for end in behaviour.ends if end.cause != TIME_LIMIT)
    length = sum(end.episodes * end.length for end in behaviour.ends) / behaviour.episodes
    lost = 1.0 - length / max_episode_steps
    if early == 0 or not alive > _least_notable(behaviour.fitness_solved) or lost < _LOST:
        return []
    return [BehaviourNote("alive", value=alive, other=lost)]


def _about_halves(behaviour: Behaviour) -> list[BehaviourNote]:
    """Say whether the policy stops or slows down in episodes that last to the time limit."""
    halves = behaviour.halves
    if halves is None or halves.episodes < _FEWEST_FULL:
        return []
    if not halves.first > _least_notable(behaviour.fitness_solved):
        return []
    if halves.first - halves.second < _CLEAR * halves.error:
        return []
    share = halves.second / halves.first
    if share > _SLOWER:
        return []
    kind: NoteKind = "stops" if share <= _STOPPED else "slows"
    return [BehaviourNote(kind, value=halves.first, other=halves.second)]


def _about_components(behaviour: Behaviour) -> list[BehaviourNote]:
    """Name components that pay more in worse episodes; a cost is meant to be negative."""
    if behaviour.component_episodes < _FEWEST_EPISODES:
        return []
    return [
        BehaviourNote("misdirected", each.name, each.fitness_correlation, each.variance_share)
        for each in behaviour.components
        if each.mean > 0.0
        and each.variance_share >= _LARGE_SHARE
        and each.fitness_correlation <= _AGAINST
    ]

"""Comparisons of two candidates: which pair comes next, and the ranking that the answers give.

Each candidate is inserted into the ranking of those before it by halving, so that n candidates take
about n log2 n comparisons. Everything follows from the answers, so nothing else is stored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eureka_agent.runs.drafts import Pair

_OPPOSITE = {"left": "right", "right": "left", "equal": "equal"}
_Group = list[str]
"""Candidates that are equal."""


@dataclass(frozen=True)
class Comparisons:
    """What the answers so far give."""

    ranking: tuple[tuple[str, ...], ...]
    """Groups of equal candidates, the best first; only candidates that were compared."""
    next_pair: tuple[str, str] | None
    """The next question; None if the ranking is complete."""
    answered: int
    """Number of answers that the ranking rests on."""
    at_most: int
    """Number of answers that a complete ranking takes at most."""

    @property
    def order(self) -> tuple[str, ...]:
        """The names, the best first; equal ones in the order in which the page shows them.

        Empty if nothing was preferred to anything.
        """
        if len(self.ranking) < 2:
            return ()
        return tuple(name for group in self.ranking for name in group)


def comparisons(names: Sequence[str], pairs: Sequence[Pair]) -> Comparisons:
    """Return the ranking that the answers give, and the next question.

    Args:
        names: The candidates that can be ranked, in the order in which the page shows them.
        pairs: The answers; a later one about the same two counts.
    """
    answers = {(pair.left, pair.right): pair.preference for pair in pairs}
    known: dict[tuple[str, str], str] = {}
    for (left, right), preference in answers.items():
        known.pop((right, left), None)
        known[left, right] = preference
    known |= {(right, left): _OPPOSITE[each] for (left, right), each in known.items()}
    groups: list[_Group] = [[name] for name in names[:1]]
    used = 0
    for name in names[1:]:
        place = _place(name, groups, known)
        used += place.answers
        if place.ask is not None:
            ranked = _tuples(groups) if used or len(groups) > 1 else ()
            return Comparisons(ranked, (place.ask, name), used, _at_most(len(names)))
        _insert(name, groups, place)
    return Comparisons(_tuples(groups), None, used, _at_most(len(names)))


@dataclass(frozen=True)
class _Place:
    """Where a candidate belongs."""

    answers: int
    index: int = 0
    equal: bool = False
    ask: str | None = None
    """The candidate that it still has to be compared with."""


def _place(name: str, groups: Sequence[_Group], known: Mapping[tuple[str, str], str]) -> _Place:
    """Return where a candidate belongs among groups that are ranked."""
    low, high, answers = 0, len(groups), 0
    while low < high:
        middle = (low + high) // 2
        other = groups[middle][0]
        preference = known.get((other, name))
        if preference is None:
            return _Place(answers, ask=other)
        answers += 1
        if preference == "equal":
            return _Place(answers, middle, equal=True)
        if preference == "left":
            low = middle + 1
        else:
            high = middle
    return _Place(answers, low)


def _insert(name: str, groups: list[_Group], place: _Place) -> None:
    if place.equal:
        groups[place.index].append(name)
    else:
        groups.insert(place.index, [name])


def _tuples(groups: Sequence[_Group]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group) for group in groups)


def _at_most(count: int) -> int:
    """Return the most answers that ranking `count` candidates takes."""
    return sum(math.ceil(math.log2(number + 1)) for number in range(1, count))

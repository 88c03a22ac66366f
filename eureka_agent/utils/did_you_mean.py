"""Compare names as people write them: whether two are the same, and which ones are similar."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Protocol

_LETTERS = 2
_SHORT = 4
_IGNORED = frozenset("PZC")
"""Unicode's categories of punctuation, separators and control characters."""


def near_names(name: str, options: Iterable[str], *, limit: int = 2) -> str:
    """Return `` Did you mean 'x' or 'y'?`` for options at most two letters from `name`.

    The nearest comes first. For names of three or four letters the limit is one letter, for shorter
    ones zero. Unlike `did_you_mean` it is for identifiers, many of which look alike.
    """
    most = _LETTERS if len(name) > _SHORT else 1 if len(name) > _LETTERS else 0
    near = {option: _distance(name.casefold(), option.casefold(), most) for option in options}
    names = sorted(
        (option for option in near if near[option] <= most), key=lambda option: near[option]
    )
    return _question(names[:limit])


def normalised(text: str) -> str:
    """Return `text` without case, punctuation and spaces, so `Pen-Spinning` is `pen_spinning`.

    Letters, digits and symbols of every script stay (NFKC, casefold), so Chinese text is not lost.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(
        char for char in folded if unicodedata.category(char)[0] not in _IGNORED and char != "`"
    )


class Named(Protocol):
    """The names of a task."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def description(self) -> str: ...  # noqa: D102
    @property
    def aliases(self) -> tuple[str, ...]: ...  # noqa: D102


def alias_used(words: str, task: Named) -> str:
    """Return `words` if they are an alias of the task, else (name, description, path) empty."""
    known = {normalised(task.name), normalised(task.description)}
    aliases = {normalised(alias) for alias in task.aliases} - known
    return words.strip() if normalised(words) in aliases else ""


def did_you_mean(name: str, options: Iterable[str], *, limit: int = 3) -> str:
    """Return `` Did you mean 'x' or 'y'?`` for options that look like `name`, or empty."""
    options = list(options)
    folded = {option.casefold(): option for option in options}
    near = difflib.get_close_matches(name.casefold(), folded, n=limit, cutoff=0.6)
    return _question([folded[match] for match in near])


def _question(names: Sequence[str]) -> str:
    return f" Did you mean {' or '.join(map(repr, names))}?" if names else ""


def _distance(a: str, b: str, most: int) -> int:
    """Return how many letters to change, add, drop or swap; `most + 1` if above `most`."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row: list[int] = [*range(len(b) + 1)]
    for i, letter in enumerate(a, 1):
        last, before = before, row
        row = [i]
        for j, other in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and (letter, other) == (b[j - 2], a[i - 2]):
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]

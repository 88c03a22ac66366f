"""A person's answer on the page, in the run's folder: it survives the end of every process.

A question is there while a run waits. The answer is a draft until it is submitted. Both may come
from somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar

from eureka_agent.errors import StoreError
from eureka_agent.runs.database import now
from eureka_agent.runs.directory import RunDir, saving
from eureka_agent.text import one_line
from eureka_agent.utils.files import read_plain_file, write_file
from eureka_agent.utils.serialization import from_json, to_json

Preference = Literal["left", "right", "equal"]
Mark = Literal["keep", "drop"]

_MOST_BYTES = 4_000_000
_Record = TypeVar("_Record", "Question", "Draft")


@dataclass(frozen=True)
class Question:
    """A question to a person that a run waits for."""

    generation: int
    earlier: tuple[str, ...]
    """Names of the earlier candidates that can be ranked with the generation's own."""
    asked: str
    """Local time (ISO 8601)."""
    timeout_min: float | None = None
    """Minutes without an answer after which the search goes on; None if it waits."""


@dataclass(frozen=True)
class Pair:
    """Which of two candidates a person prefers."""

    left: str
    right: str
    preference: Preference


@dataclass(frozen=True)
class Draft:
    """What a person entered about a generation."""

    generation: int
    best: str | None = None
    worst: str | None = None
    pairs: tuple[Pair, ...] = ()
    """Answers to comparisons of two candidates, in the order in which they were given."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Comments by candidate name."""
    marks: Mapping[str, Mapping[str, Mark]] = field(default_factory=dict)
    """By candidate name: which of its components to keep or to drop, by the component's name."""
    edited: Mapping[str, str] = field(default_factory=dict)
    """Source of a reward, by the name of the candidate that it is an edit of."""
    stop: bool = False
    """End the search after this generation."""
    submitted: bool = False
    saved: str = ""
    """Local time of the last change (ISO 8601); empty before the first."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was entered."""
        entered = (self.best, self.worst, self.pairs, self.words, self.marks, self.edited)
        return not any(entered)


def read_question(run: RunDir, generation: int) -> Question | None:
    """Return the question about a generation; None if there is none. Raises StoreError."""
    return _read(run.question(generation), Question, generation)


def save_question(run: RunDir, question: Question) -> None:
    """Write a question. Raises StoreError."""
    with saving(run.path):
        write_file(run.question(question.generation), to_json(question))


def remove_question(run: RunDir, generation: int) -> None:
    """Remove a question that was answered. Raises StoreError."""
    with saving(run.path):
        run.question(generation).unlink(missing_ok=True)


def read_draft(run: RunDir, generation: int) -> Draft:
    """Return the draft on a generation; an empty one if nothing was saved. Raises StoreError."""
    return _read(run.draft(generation), Draft, generation) or Draft(generation)


def save_draft(run: RunDir, draft: Draft) -> None:
    """Write a draft in place of the earlier one. Raises StoreError."""
    with saving(run.path):
        write_file(run.draft(draft.generation), to_json(draft))


def goes_on_at(question: Question, draft: Draft) -> datetime | None:
    """Return when the search goes on without an answer; None if it waits.

    The time counts from the question, and again from every change of the draft.
    """
    if question.timeout_min is None:
        return None
    started = max(map(_moment, (question.asked, draft.saved or question.asked)))
    with suppress(OverflowError):
        return started + timedelta(minutes=question.timeout_min)
    return None


def _moment(text: str) -> datetime:
    """Return a stored time; the present one if the text is none."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        return datetime.fromisoformat(now())


def _read(path: Path, kind: type[_Record], generation: int) -> _Record | None:
    data = read_plain_file(path, _MOST_BYTES)
    if data is None:
        return None
    try:
        record = from_json(kind, data.decode("utf-8"))
        if record.generation != generation:
            raise StoreError(f"it is about generation {record.generation}")
    except (StoreError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{one_line(str(path))} is damaged: remove it to start this answer again."
            f" ({one_line(str(error), 200)})"
        ) from error
    return record

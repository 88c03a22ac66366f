"""Read the score in a vision model's answer. Every answer may be anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eureka_agent.errors import JudgeError
from eureka_agent.records import Completion
from eureka_agent.text import one_line

_MOST_CHARACTERS, _MOST_OBJECTS = 100_000, 200
_REASON_CHARACTERS = 200
_BRACE = re.compile(r"\{")


@dataclass(frozen=True)
class SingleScore:
    """What a model says of one episode."""

    value: float
    """0 to 1."""
    reason: str
    """One sentence, cut to 200 characters."""


def read_score(completion: Completion) -> SingleScore:
    """Return the score of the last JSON object in an answer that has one.

    Args:
        completion: The answer.

    Returns:
        The score and its reason.

    Raises:
        JudgeError: The answer has no score between 0 and 1. The message is written for the model.
    """
    if completion.error:
        raise JudgeError(completion.error)
    if not completion.text.strip():
        raise JudgeError("The answer is empty.")
    found = [each for each in _objects(completion.text) if "score" in each]
    if not found:
        raise JudgeError('The answer holds no JSON object with a "score".')
    value = found[-1]["score"]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and 0.0 <= value <= 1.0):  # NaN is refused, too
        raise JudgeError(f"The score must be a number between 0 and 1, got {_quoted(value)}.")
    reason = found[-1].get("reason")
    words = one_line(reason, _REASON_CHARACTERS).strip() if isinstance(reason, str) else ""
    return SingleScore(float(value), words.rstrip(".") or "no reason given")


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in a text, in order."""
    text = text[-_MOST_CHARACTERS:]
    decoder = json.JSONDecoder()
    end = 0
    for number, brace in enumerate(_BRACE.finditer(text)):
        if number == _MOST_OBJECTS:
            return
        if brace.start() < end:
            continue
        try:
            value, end = decoder.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _quoted(value: object) -> str:
    return one_line(repr(value), 40)

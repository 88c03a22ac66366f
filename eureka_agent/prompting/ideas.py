"""The plan that a model wrote before its code, as later prompts quote it.

The text is a model's and may hold anything; what is quoted is one line without control characters,
code fences or separators of tables.
"""

from __future__ import annotations

import re

from eureka_agent.records import Outcome
from eureka_agent.text import one_line, shortened

_IDEA = 80
_PLAN = 240
_READ = 4_000  # characters of an answer that are looked at
_CODE = re.compile(r"^\s*(?:```|~~~|import |from \w+ import|def |class |@)", re.MULTILINE)
_HEADING = re.compile(r"^\s*(?:#.*|\*\*[^*]*\*\*:?|<[^>]*>)\s*$", re.MULTILINE)
_MARKS = re.compile(r"`{2,}|\*{2,}|^\s*(?:[>*+-]|\d+\.)\s+", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s")


def idea_of(outcome: Outcome) -> str:
    """Return a candidate's idea: the first sentence of its plan, or the names of its components.

    Args:
        outcome: The candidate; its completion's text may be empty or hostile.

    Returns:
        One line of at most 80 characters; empty if nothing is known.
    """
    sentence = _SENTENCE_END.split(_plan(outcome), maxsplit=1)[0]
    if sentence:
        return one_line(sentence, _IDEA)
    components = outcome.training.components if outcome.training else ()
    return shortened(", ".join(component.name for component in components), _IDEA)


def plan_of(outcome: Outcome) -> str:
    """Return the plan that stands before a candidate's code: one line, at most 240 characters."""
    return one_line(_plan(outcome), _PLAN)


def _plan(outcome: Outcome) -> str:
    read = outcome.candidate.completion.text[:_READ]
    # Without blank lines: the patterns would try every one of thousands of them at every other.
    text = "\n".join(line for line in read.splitlines() if line.strip())
    before = _CODE.split(text, maxsplit=1)[0]
    words = _MARKS.sub("", _HEADING.sub("", before)).replace("|", "/")
    return " ".join(words.split())

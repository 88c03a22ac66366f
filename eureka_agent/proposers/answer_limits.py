"""A lower limit of an answer's tokens, after a server refused a request because of the limit."""

from __future__ import annotations

import re

MIN_ANSWER_TOKENS = 256
"""A shorter answer cannot hold a reward function; if a prompt leaves less room, it is too long."""
_BYTES_PER_TOKEN = 3
"""Of a prompt, at least; English text and code have more."""
_TEMPLATE_TOKENS = 32
"""Tokens that a chat template may add to a prompt."""

_COUNT = r"(\d[\d,]*)"
_CONTEXT = (
    rf"context limit: [\d,]+ \+ [\d,]+ > {_COUNT}",
    rf"context (?:length|size|window|limit)\D{{0,30}}{_COUNT}",
    rf"{_COUNT} maximum context",
    rf"must be <= {_COUNT}",
)
_PROMPT = (
    rf"{_COUNT} (?:tokens )?(?:in|from) the (?:messages|prompt|input)",
    rf"{_COUNT} (?:input|prompt) tokens",
    rf"{_COUNT} `inputs` tokens",
    rf"prompt contains (?:at least )?{_COUNT}",
    rf"messages resulted in {_COUNT}",
    rf"context limit: {_COUNT}",
)
_LARGEST = (
    rf"at most {_COUNT}",
    rf"less than or equal to \D?{_COUNT}",
    rf"\[\d+, ?{_COUNT}\]",
    rf"> {_COUNT}, which is the maximum",
    rf"(?:maximum|limit)\D{{0,60}}{_COUNT}",
)
_ABOUT_LIMIT = re.compile(
    r"max_(?:completion_|new_)?tokens|completion tokens|output tokens|the completion"
)
_TOO_LARGE = re.compile(
    r"too (?:large|long|high|big|many)|at most|exceed|maximum|less than or equal|<=|range|greater"
    r" than"
)


def lower_limit(complaint: str, limit: int, prompt_bytes: int) -> int | None:
    """Return the limit of an answer's tokens that a server's `complaint` about a request asks for.

    `limit`: the refused limit; `prompt_bytes`: the length of the prompt. None if the complaint is
    about something else or leaves no room for an answer.
    """
    words = complaint.lower()
    if not _TOO_LARGE.search(words) or limit <= MIN_ANSWER_TOKENS:
        return None
    context, prompt = _first(_CONTEXT, words), _first(_PROMPT, words)
    if context is not None:
        room = (
            context
            - _TEMPLATE_TOKENS
            - (prompt if prompt is not None else prompt_bytes // _BYTES_PER_TOKEN)
        )
    else:
        room = _first(_LARGEST, words) or (limit // 2 if _ABOUT_LIMIT.search(words) else 0)
    if room >= limit:  # the server counts differently
        room = limit // 2
    return room if room >= MIN_ANSWER_TOKENS else None


def _first(patterns: tuple[str, ...], words: str) -> int | None:
    """Return the number that the first matching pattern finds."""
    found = (re.search(pattern, words) for pattern in patterns)
    return next((int(match[1].replace(",", "")) for match in found if match), None)

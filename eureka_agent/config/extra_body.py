"""Further fields of a request to a model, from `--extra-body`."""

from __future__ import annotations

import json
from dataclasses import dataclass

from eureka_agent.errors import UsageError

_MOST_CHOICES = 128
_ELSEWHERE = {
    "model": "give --model",
    "messages": "they are the prompt",
    "temperature": "give --temperature",
    "max_tokens": "give --answer-tokens",
    "max_completion_tokens": "give --answer-tokens",
    "stream_options": "with streamed answers they are set already",
}
"""Fields that are set elsewhere, and where."""


@dataclass(frozen=True)
class ExtraBody:
    """The parsed option."""

    fields: dict[str, object]
    """Further fields of each request, `stream` excepted."""
    stream: bool
    """Whether answers are streamed."""


def parse_extra_body(text: str | None) -> ExtraBody:
    """Return what a JSON object sets; nothing for None.

    Raises UsageError for text that is not a JSON object, and for fields that other options set.
    """
    if text is None:
        return ExtraBody({}, stream=False)
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise UsageError(
            '--extra-body must be a JSON object in one argument, such as \'{"enable_thinking":'
            f" false}}', got {text[:100]!r}."
        )
    for name, instead in _ELSEWHERE.items():
        if name in fields:
            raise UsageError(f"--extra-body must not set {name!r}: {instead}.")
    count = fields.get("n", 1)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST_CHOICES:
        raise UsageError(
            f'"n" in --extra-body must be a number of choices from 1 to {_MOST_CHOICES}, got'
            f" {count!r}."
        )
    stream = fields.pop("stream", False)
    if not isinstance(stream, bool):
        raise UsageError(f'"stream" in --extra-body must be true or false, got {stream!r}.')
    return ExtraBody(fields, stream)

"""Further fields of a request to a model, from `--extra-body`."""

from __future__ import annotations

import json

from eureka_agent.errors import UsageError

_MOST_CHOICES = 128
_ELSEWHERE = {
    "model": "give --model",
    "messages": "they are the prompt",
    "temperature": "give --temperature",
    "max_tokens": "give --answer-tokens",
    "max_completion_tokens": "give --answer-tokens",
    "stream": "give --stream",
    "stream_options": "give --stream",
}
"""Fields that are set elsewhere, and where."""


def extra_fields(text: str | None) -> dict[str, object]:
    """Return the fields of a JSON object; none for None.

    Raises UsageError for text that is not a JSON object, and for fields that other options set.
    """
    if text is None:
        return {}
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
    return fields

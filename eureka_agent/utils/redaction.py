"""Remove keys and passwords from server messages, which are stored and shown.

Some servers repeat what was sent to them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any, TypeAlias
from urllib.parse import quote

_SECRET_NAME = re.compile(
    r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:_ID|_\d+)?$", re.IGNORECASE
)
"""Endings of variables that hold a secret: OPENAI_API_KEY, AWS_SECRET_ACCESS_KEY, HF_TOKEN, …"""
_SHORTEST = 8
"""Characters. Shorter values are placeholders, not secrets, and occur in ordinary words."""
_USER_INFORMATION = re.compile(r"(://)[^/\s@?#\"'<>]{1,500}@")

_Secrets: TypeAlias = list[tuple[str, str]]


def redacted(text: str) -> str:
    """Return text with each secret of the environment replaced by its variable's name.

    Names and passwords in addresses (http://user:password@host) are removed, too.
    """
    return str(_redact(_secrets(), text))


def redacted_all(value: Any) -> Any:
    """Redact every string in decoded JSON, field names included; changes it in place."""
    secrets, whole = _secrets(), [value]
    waiting: list[Any] = [whole]
    while waiting:  # without recursion: a server may nest without limit
        holder = waiting.pop()
        places = range(len(holder)) if isinstance(holder, list) else [*holder]
        for place in places:
            item = holder[place] if isinstance(holder, list) else holder.pop(place)
            if isinstance(item, dict | list):
                waiting.append(item)
            holder[_redact(secrets, place)] = _redact(secrets, item)
    return whole[0]


def _redact(secrets: _Secrets, text: Any) -> Any:
    """Return a string without the secrets; other values stay as they are."""
    if not isinstance(text, str):
        return text
    for name, value in secrets:
        if value in text:
            text = text.replace(value, f"[{name}]")
    return _USER_INFORMATION.sub(r"\1[redacted]@", text) if "://" in text else text


def _secrets() -> _Secrets:
    """Return names and values of the environment's secrets, in each form a server may repeat.

    The longest come first, since one value may contain another.
    """
    found = [
        (name, form)
        for name, value in os.environ.items()
        if _is_secret(name)
        for form in _forms(value.strip())
    ]
    return sorted(found, key=lambda pair: -len(pair[1]))


def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _forms(value: str) -> Iterator[str]:
    """Yield a secret as it is, URL-encoded, and JSON-encoded."""
    if len(value) >= _SHORTEST:
        yield from dict.fromkeys((value, quote(value, safe=""), json.dumps(value)[1:-1]))

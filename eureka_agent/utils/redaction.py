"""Keys and passwords taken out of what servers say: their words are kept and shown, and some repeat
what was sent."""

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
"""How the names of variables that hold a secret end: OPENAI_API_KEY, AWS_SECRET_ACCESS_KEY,
HF_TOKEN, …"""
_SHORTEST = 8
"""Shorter values, such as a placeholder for a server that needs no key, are no secrets and stand in
many words."""
_USER_INFORMATION = re.compile(r"(://)[^/\s@?#\"'<>]{1,500}@")

_Secrets: TypeAlias = list[tuple[str, str]]


def redacted(text: str) -> str:
    """Return text without the values of the environment's keys; the name of the variable stands in
    their place.

    Names and passwords in addresses (http://user:password@host) go, too.
    """
    return str(_without(_secrets(), text))


def redacted_all(value: Any) -> Any:
    """Return decoded JSON, changed in place, with every text in it redacted, names of fields
    included."""
    secrets, whole = _secrets(), [value]
    waiting: list[Any] = [whole]
    while waiting:  # and not by recursion: a server may nest as deep as it likes
        holder = waiting.pop()
        places = range(len(holder)) if isinstance(holder, list) else [*holder]
        for place in places:
            item = holder[place] if isinstance(holder, list) else holder.pop(place)
            if isinstance(item, dict | list):
                waiting.append(item)
            holder[_without(secrets, place)] = _without(secrets, item)
    return whole[0]


def _without(secrets: _Secrets, text: Any) -> Any:
    """Return a text without the secrets; what is no text stays as it is."""
    if not isinstance(text, str):
        return text
    for name, value in secrets:
        if value in text:
            text = text.replace(value, f"[{name}]")
    return _USER_INFORMATION.sub(r"\1[redacted]@", text) if "://" in text else text


def _secrets() -> _Secrets:
    """Return the names and the values of the environment's secrets, in each form that a server may
    repeat.

    The longest come first, since a value may hold another one.
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
    """Yield a secret as it is, as part of an address, and as JSON text."""
    if len(value) >= _SHORTEST:
        yield from dict.fromkeys((value, quote(value, safe=""), json.dumps(value)[1:-1]))

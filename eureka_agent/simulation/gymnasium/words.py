"""Names for the numbers of an environment, from texts that other people wrote."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable

_LONGEST = 48
"""Characters of a name."""
_ARTICLES = re.compile(r"\b(?:the|a|an)\b")
RESERVED = frozenset({"action", "episode_time", "obs_buf"})
"""Names that every task has; see `Task.reward_inputs`."""


def identifier(text: str) -> str:
    """Return a Python name made from a text, or "" if that is not possible or too long."""
    text = unicodedata.normalize("NFKD", text.replace("'t", "t")).encode("ascii", "ignore").decode()
    words = _ARTICLES.sub(" ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower())
    name = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    if not name.isidentifier() or len(name) > _LONGEST:
        return ""
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each used once: the second `x` becomes `x_2`."""
    taken: list[str] = []
    for name in names:
        free, number = name, 2
        while free in taken:
            free, number = f"{name}_{number}", number + 1
        taken.append(free)
    return tuple(taken)

"""English words without their endings, for comparing texts."""

from __future__ import annotations

COMMON_WORDS = frozenset(
    "a an and as at be by can for from has in into is it its make of on or robot so task than that"
    " the their then this to while with without".split()
)
"""Words that say nothing about what a text asks for."""
_ENDINGS = ("ing", "ions", "ion", "ers", "er", "ies", "es", "ed", "s", "e")
_SHORTEST = 3


def stem(word: str) -> str:
    """Return a word in lower case without its ending: `spin` for spins, spinner and spinning."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            rest = word[: -len(ending)]
            doubled = len(rest) > _SHORTEST and rest[-1] == rest[-2] and rest[-1] not in "aeiouls"
            return rest[:-1] if doubled else rest
    return word

"""Foreign text made harmless: what models, servers and stored runs say, before it is stored or
shown."""

from __future__ import annotations

import unicodedata

MOST_OF_A_MESSAGE = 1_000
"""Characters of a failure's message; what a candidate puts into an exception may be of any
length."""


def storable(text: str) -> str:
    """Return text that UTF-8 can hold: two surrogates that belong together become one character,
    others U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def shortened(text: str, most: int = MOST_OF_A_MESSAGE) -> str:
    """Return text of at most `most` characters; an ellipsis stands for what is cut off."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def escape_control(text: str) -> str:
    """Return foreign text with its lines, and every character that could steer a terminal spelled
    out.

    Control characters, marks that change the direction of writing, characters of no width and lone
    surrogates become such as `\\x1b` and `\\u202e`. Spaces of other widths become plain ones.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def one_line(text: str) -> str:
    """Return foreign text as one line, with what could steer a terminal spelled out."""
    return escape_control(" ".join(text.split()))


def _shown(character: str) -> str:
    if character.isprintable() or character in "\n\t":
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return ascii(character)[1:-1]

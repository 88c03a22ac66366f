"""Make text from models, servers and stored runs safe to store and to show."""

from __future__ import annotations

import unicodedata

MAX_MESSAGE = 1_000
"""Characters of a failure's message. A candidate can put text of any length into an exception."""


def storable(text: str) -> str:
    """Return text that UTF-8 can hold: surrogate pairs become characters, lone ones U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def shortened(text: str, most: int = MAX_MESSAGE) -> str:
    """Return text of at most `most` characters; an ellipsis stands for what is cut off."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def escape_control(text: str) -> str:
    """Return untrusted text with every character that could control a terminal escaped.

    Control characters, marks that change the writing direction, zero-width characters and lone
    surrogates become escapes such as `\\x1b` and `\\u202e`. Spaces of other widths become plain
    ones. Line breaks stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def one_line(text: str, most: int | None = None) -> str:
    """Return untrusted text as one line, escaped as `escape_control` does.

    Args:
        text: The text; its line breaks and runs of spaces become single spaces.
        most: Longest result in characters; an ellipsis stands for what is cut off.
    """
    line = " ".join(text.split())
    if most is None:
        return escape_control(line)
    return shortened(escape_control(line[: most + 1]), most)


def _shown(character: str) -> str:
    if character.isprintable() or character in "\n\t":
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return ascii(character)[1:-1]

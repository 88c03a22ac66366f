"""Text for people and models: made safe to store and to show; numbers and stages in words."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from eureka_agent.records import Stage

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


def number(value: float, decimals: int | None = None) -> str:
    """Return a number for people: about four digits, or with `decimals`."""
    if math.isnan(value):
        return "NaN"
    if abs(value) >= 1e9 or (decimals is None and 0.0 < abs(value) < 1e-4):
        return f"{value:.2e}"
    return f"{value:,.{decimals_for([value]) if decimals is None else decimals}f}"


def decimals_for(values: Iterable[float]) -> int:
    """Return the decimals that show about four digits of the largest of `values`.

    All values of a column share them, so that the column aligns.
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest == 0.0:
        return 2
    exponent = math.floor(math.log10(largest))
    return max(0, 3 - exponent) if exponent > 0 else min(4, 2 - exponent)


def number_in_prompt(value: float) -> str:
    """Return a number for models: four significant digits, as Python could write them."""
    return f"{value:.4g}"


def short_numbers_in_prompt(values: Sequence[float]) -> list[str]:
    """Return measured numbers for models: two digits of the largest, the others as precise."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    decimals = max(0, 1 - math.floor(math.log10(largest))) if largest > 0.0 else 0
    # Adding 0 turns a negative zero into 0.
    return [f"{round(value, decimals) + 0.0:.6g}" for value in values]


class StageWords(NamedTuple):
    """What went wrong at a stage, in a few words."""

    to_model: str
    """In prompts, which explain the checks and the contract."""
    to_person: str


STAGE_WORDS: Mapping[Stage, StageWords] = {
    "extract": StageWords("no code was found", "no reward function in the answer"),
    "check": StageWords("refused before it ran", "not allowed"),
    "contract": StageWords("broke its contract on sample states", "broke on sample states"),
    "screening": StageWords("refused before training", "not worth a training"),
    "training": StageWords("failed while a policy was trained", "failed in training"),
    "internal": StageWords("could not be evaluated", "lost by a fault of eureka_agent"),
}
"""The words for each stage at which a candidate can fail."""

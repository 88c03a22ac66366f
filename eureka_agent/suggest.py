"""Names as people write them: whether two are the same, and which ones are near."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

_LEFT_OUT = frozenset("PZC")
"""Unicode's categories of punctuation, separators and control characters."""


def normalised(text: str) -> str:
    """Return `text` without case, punctuation and spaces: `Pen-Spinning` and `pen_spinning` are the same.

    Letters, digits and symbols of every script stay (NFKC, casefold), so a text in Chinese is not empty.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(char for char in folded if unicodedata.category(char)[0] not in _LEFT_OUT and char != "`")


def did_you_mean(name: str, options: Iterable[str], *, limit: int = 3) -> str:
    """Return `` Did you mean 'x' or 'y'?`` for the options that look like `name`, or an empty string."""
    options = list(options)
    folded = {option.casefold(): option for option in options}
    near = difflib.get_close_matches(name.casefold(), folded, n=limit, cutoff=0.6)
    names = [repr(folded[match]) for match in near]
    return f" Did you mean {' or '.join(names)}?" if names else ""

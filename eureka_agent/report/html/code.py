"""Code and the difference of two codes, with syntax colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

import pygments
from markupsafe import Markup, escape
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Text, _TokenType

from eureka_agent.report.formatting import escape_control

_MOST = 20_000
"""Characters that are coloured; a run from elsewhere may hold code of any length."""
_MOST_LINES = 1_000
"""Lines that are compared, because the time rises with their square."""
_AROUND = 3
"""Lines that are shown around a change."""
_COLOURED = (
    Comment,
    Keyword,
    Number,
    String,
    Operator.Word,
    Name.Function,
    Name.Class,
    Name.Decorator,
    Name.Builtin,
)
"""The kinds of tokens that `style.css` gives a colour."""


@dataclass(frozen=True)
class DifferenceRow:
    """One line of a difference."""

    kind: Literal["same", "added", "removed", "gap"]
    code: Markup
    """The line with syntax colours, or what a gap leaves out."""


def coloured(code: str) -> Markup:
    """Return Python code as HTML with a class for each kind of token (`tok-k` is a keyword)."""
    code = escape_control(code.replace("\r\n", "\n"))
    if len(code) > _MOST:
        return escape(code)
    tokens = PythonLexer(stripnl=False, ensurenl=False).get_tokens(code)
    formatter = HtmlFormatter(nowrap=True, classprefix="tok-")
    # Pygments escapes the code.
    return Markup(pygments.format(map(_plain, tokens), formatter).rstrip("\n"))


def _plain(token: tuple[_TokenType, str]) -> tuple[_TokenType, str]:
    """Make text of a token without a colour, so that a page has no tag for it."""
    kind, text = token
    return (kind if any(kind in each for each in _COLOURED) else Text), text


def difference(before: str, after: str) -> list[DifferenceRow]:
    """Return how two codes differ, line by line; empty if they are the same.

    Args:
        before: The older code.
        after: The newer code.

    Returns:
        The changed lines with three lines around them; a gap stands for the others.
    """
    old, new = _lines(before), _lines(after)
    if old == new:
        return []
    if max(len(old), len(new)) > _MOST_LINES:
        return [DifferenceRow("gap", Markup("The code is too long to be compared here."))]
    shown_old, shown_new = _coloured_lines(before), _coloured_lines(after)
    rows: list[DifferenceRow] = []
    for number, group in enumerate(SequenceMatcher(None, old, new).get_grouped_opcodes(_AROUND)):
        if number:
            rows.append(DifferenceRow("gap", Markup("…")))
        for change, start, end, new_start, new_end in group:
            if change == "equal":
                rows += _rows("same", shown_new[new_start:new_end])
            else:
                rows += _rows("removed", shown_old[start:end])
                rows += _rows("added", shown_new[new_start:new_end])
    return rows


def _rows(
    kind: Literal["same", "added", "removed"], lines: Sequence[Markup]
) -> Iterator[DifferenceRow]:
    return (DifferenceRow(kind, line) for line in lines)


def _lines(code: str) -> list[str]:
    return escape_control(code.replace("\r\n", "\n")).rstrip("\n").split("\n")


def _coloured_lines(code: str) -> list[Markup]:
    """Return the coloured lines of a code; Pygments closes the tags of each line."""
    return [Markup(line) for line in coloured("\n".join(_lines(code))).split("\n")]

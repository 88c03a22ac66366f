"""Collect what is wrong with a source and report it in one message."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from eureka_agent.checks.names import ENTRY
from eureka_agent.errors import CheckError

_MAX_SHOWN = 4
_MAX_LINES = 4
_MAX_QUOTE = 60
_LONG_WORD = re.compile(r"(\w{60})\w{20,}")


class CheckFindings:
    """Findings in the order of the source's lines; the same message on several lines is one."""

    def __init__(self, code: str) -> None:
        """`code`: the source that messages quote."""
        self._source = code.splitlines()
        self._lines: dict[str, dict[int, None]] = {}

    def add(self, where: ast.AST | int, message: str) -> None:
        """Add `message` (without a final stop) at a node or line; line 0 means the whole source."""
        line = where if isinstance(where, int) else getattr(where, "lineno", 0)
        self._lines.setdefault(message, {})[line] = None

    def raise_if_any(self) -> None:
        """Raise CheckError with at most four findings, each with its lines."""
        if not self._lines:
            return
        found = sorted(
            ((sorted(lines), message) for message, lines in self._lines.items()),
            key=lambda one: one[0],
        )
        sentences: list[str] = []
        before: Sequence[int] = ()
        for lines, message in found[:_MAX_SHOWN]:
            where = self._where(lines) if lines != before else ""
            sentences.append(where + _as_sentence(message))
            before = lines
        if len(found) > _MAX_SHOWN:
            sentences.append(f"And {len(found) - _MAX_SHOWN} more.")
        text = " ".join(sentences)
        raise CheckError(text if text.startswith(ENTRY) else text[:1].upper() + text[1:])

    def _where(self, lines: Sequence[int]) -> str:
        """Return the line numbers and the text of the first line; empty for the whole source."""
        if not lines[0]:
            return ""
        numbers = ", ".join(map(str, lines[:_MAX_LINES])) + (
            ", ..." if len(lines) > _MAX_LINES else ""
        )
        return f"Line{'s' if len(lines) > 1 else ''} {numbers}{self._quoted(lines[0])}: "

    def _quoted(self, line: int) -> str:
        """Return the text of a line in parentheses.

        Line numbers count in the extracted source, so the author needs to see the line's text.
        """
        text = " ".join(self._source[line - 1].split()) if line <= len(self._source) else ""
        text = "".join(character for character in text if character.isprintable())
        if len(text) > _MAX_QUOTE:
            text = f"{text[:_MAX_QUOTE]}..."
        return f" ({text})" if text else ""


def _as_sentence(message: str) -> str:
    message = _LONG_WORD.sub(r"\1...", message)
    return message if message.endswith((".", "?")) else f"{message}."

"""Collecting what is wrong with a source, and saying it in one message."""

from __future__ import annotations

import ast

from eureka_agent.errors import CheckError

_MAX_SHOWN = 4


class Findings:
    """What the checks found, in the order of the source's lines."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], None] = {}

    def add(self, where: ast.AST | int, message: str) -> None:
        """Note `message` (without a final stop) at a node or line; line 0 means the source as a whole."""
        line = where if isinstance(where, int) else getattr(where, "lineno", 0)
        self._found[line, message] = None

    def raise_if_any(self) -> None:
        """Raise CheckError with at most four findings, each with its line."""
        if not self._found:
            return
        sentences = [_sentence(line, message) for line, message in sorted(self._found, key=lambda found: found[0])]
        more = len(sentences) - _MAX_SHOWN
        rest = [f"And {more} more."] if more > 0 else []
        raise CheckError(" ".join(sentences[:_MAX_SHOWN] + rest))


def _sentence(line: int, message: str) -> str:
    stop = "" if message.endswith((".", "?")) else "."
    return f"Line {line}: {message}{stop}" if line else f"{message[:1].upper()}{message[1:]}{stop}"

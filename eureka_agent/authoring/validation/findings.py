"""What a check of a task found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """The result of one check of a task."""

    check: str
    verdict: Verdict
    detail: str
    """What was found and, unless it is ok, what to do."""


def ok(check: str, detail: str) -> Finding:
    """Return that a check passed."""
    return Finding(check, "ok", detail)


def warning(check: str, detail: str) -> Finding:
    """Return that a check found something that a person should look at."""
    return Finding(check, "warning", detail)


def failed(check: str, detail: str) -> Finding:
    """Return that a check found a mistake."""
    return Finding(check, "failed", detail)


def listed(names: list[str], most: int = 4) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"

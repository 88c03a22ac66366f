"""A run's report in which every text is hostile, as a folder from somebody else could hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from eureka_agent.report import RunReport

ATTACK = "</script></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u202e\x1b[31m"
_WORDS = frozenset(("stage", "kind", "budget", "sandbox_level", "level", "frame"))
"""Fields that a store refuses to read with any other word."""
_COMPUTED = frozenset((("Baseline", "name"), ("CandidateReport", "name")))
"""Names of records that a store refuses, or computes itself."""


def hostile(report: RunReport) -> RunReport:
    """Return the report with `ATTACK` at the end of every text that a run's folder can hold."""
    poisoned: RunReport = _poisoned(report, "report")
    return poisoned


def _poisoned(value: Any, name: str, owner: str = "") -> Any:
    changed = value
    if isinstance(value, str):
        known = name in _WORDS or (owner, name) in _COMPUTED
        changed = value if known else value + ATTACK
    elif isinstance(value, Path):
        changed = value.with_name(value.name + ATTACK.replace("/", "|"))
    elif is_dataclass(value) and not isinstance(value, type):
        own = {each.name: getattr(value, each.name) for each in fields(value)}
        kind = type(value).__name__
        changed = type(value)(**{key: _poisoned(one, key, kind) for key, one in own.items()})
    elif isinstance(value, tuple):
        changed = tuple(_poisoned(each, name, owner) for each in value)
    elif isinstance(value, Mapping) and name != "estimates":
        changed = {f"{key}{ATTACK}": _poisoned(one, name, owner) for key, one in value.items()}
    return changed

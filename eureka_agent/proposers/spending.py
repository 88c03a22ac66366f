"""Limits of what a run spends on models: reserved before each request, settled after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """Tokens of prompts and answers together, and their cost."""

    tokens: int = 0
    usd: float = 0.0
    """Cost at known prices; with a limit in USD only models with a known price are asked."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.tokens - other.tokens, self.usd - other.usd)

    def times(self, count: int) -> Usage:
        """Return the usage of `count` such requests."""
        return Usage(count * self.tokens, count * self.usd)

    def __str__(self) -> str:
        return f"{self.tokens:,} tokens" + (f" (${self.usd:.4f})" if self.usd else "")


NOTHING = Usage()


class UsageLimits:
    """Keeps what a run has spent or reserved within its limits.

    The worst case of a request is reserved before it is sent and replaced by the actual usage when
    the answer reports it; without a report it stays reserved. The limits therefore hold as long as
    no answer exceeds its worst case, also for a run that is killed and resumed, because every
    change is saved first.

    Args:
        max_tokens: limit of the tokens of prompts and answers; None: no limit.
        max_cost_usd: limit of the cost in USD; None: no limit.
    """

    def __init__(self, *, max_tokens: int | None = None, max_cost_usd: float | None = None) -> None:
        self.max_tokens = max_tokens
        self.max_cost_usd = max_cost_usd
        self.reserved = Usage()
        """Spent, or reserved."""
        self._save: Callable[[Usage], None] = lambda reserved: None

    @property
    def limited(self) -> bool:
        """Whether there is a limit."""
        return self.max_tokens is not None or self.max_cost_usd is not None

    def resume_from(self, reserved: Usage, keep: Callable[[Usage], None]) -> None:
        """Continue from an earlier `reserved`; `keep` saves every later change."""
        self.reserved = reserved
        self._save = keep

    def exceeded_by(self, worst: Usage) -> str:
        """Return the option that a request with this worst case would exceed; "" if none."""
        total = self.reserved + worst
        if self.max_cost_usd is not None and total.usd > self.max_cost_usd:
            return f"--max-cost-usd {self.max_cost_usd:g}"
        if self.max_tokens is not None and total.tokens > self.max_tokens:
            return f"--max-tokens {self.max_tokens}"
        return ""

    def reserve(self, worst: Usage) -> bool:
        """Reserve a request's worst case; return False if a limit forbids it."""
        if self.exceeded_by(worst):
            return False
        self._commit(self.reserved + worst)
        return True

    def settle(self, worst: Usage, used: Usage) -> None:
        """Replace a request's worst case by its usage, `Usage()` if it was certainly not billed."""
        self._commit(self.reserved - worst + used)

    def _commit(self, reserved: Usage) -> None:
        self._save(reserved)
        self.reserved = reserved

"""What a run may spend on models: reserved before each request, settled after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """Tokens, of prompts and answers together, and what they cost."""

    tokens: int = 0
    usd: float = 0.0
    """Of models whose price is known; with a limit in USD no other is asked."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.tokens - other.tokens, self.usd - other.usd)

    def times(self, count: int) -> Usage:
        """Return what `count` of it are."""
        return Usage(count * self.tokens, count * self.usd)

    def __str__(self) -> str:
        return f"{self.tokens:,} tokens" + (f" (${self.usd:.4f})" if self.usd else "")


NOTHING = Usage()


class UsageLimits:
    """What is spent and what may still come of the requests under way, against the limits of a run.

    A request's worst case is counted from before it is sent until its answer says what it really
    took; it stays counted when no answer comes that says so. So the limits hold as long as no
    answer takes more than its worst case, and also for a run that is killed and resumed, since
    `keep` writes every change down first.
    """

    def __init__(self, *, max_tokens: int | None = None, max_cost_usd: float | None = None) -> None:
        self.max_tokens, self.max_cost_usd = max_tokens, max_cost_usd
        self.reserved = Usage()
        """Spent, or reserved."""
        self._keep: Callable[[Usage], None] = lambda reserved: None

    @property
    def limited(self) -> bool:
        """Whether there is a limit."""
        return self.max_tokens is not None or self.max_cost_usd is not None

    def resume_from(self, reserved: Usage, keep: Callable[[Usage], None]) -> None:
        """Go on from what a run has committed so far, and let `keep` write down every change."""
        self.reserved, self._keep = reserved, keep

    def exceeded_by(self, worst: Usage) -> str:
        """Return the limit, in words, that a request with this worst case could break; empty if
        there is none."""
        total = self.reserved + worst
        if self.max_cost_usd is not None and total.usd > self.max_cost_usd:
            return f"--max-cost-usd {self.max_cost_usd:g}"
        if self.max_tokens is not None and total.tokens > self.max_tokens:
            return f"--max-tokens {self.max_tokens}"
        return ""

    def reserve(self, worst: Usage) -> bool:
        """Count a request's worst case, if no limit forbids it; returns whether the request may be
        sent."""
        if self.exceeded_by(worst):
            return False
        self._commit(self.reserved + worst)
        return True

    def settle(self, worst: Usage, used: Usage) -> None:
        """Count what a request took instead of its worst case; nothing for one that was certainly
        not billed."""
        self._commit(self.reserved - worst + used)

    def _commit(self, reserved: Usage) -> None:
        self._keep(reserved)
        self.reserved = reserved

"""When a failed request is asked again, and after which pause."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from eureka_agent.errors import ProposerError, RateLimitedError, UnavailableError


@dataclass(frozen=True)
class Retries:
    """Pauses grow and are drawn at random ("full jitter"), so that eight requests do not come back
    together.

    A server that says how long to wait is obeyed. The defaults wait half a minute in all, on
    average.
    """

    most: int = 6
    """A request is repeated at most this often."""
    base_s: float = 1.0
    """The first pause is at most this long, each further one at most twice as long as the one
    before."""
    longest_s: float = 60.0
    patience_s: float = 120.0
    """A server that asks for a longer pause has refused."""

    def pause_s(self, error: ProposerError, failures: int, unanswered: int) -> float | None:
        """Return how long to wait before a request is asked again, in seconds; None: it is not.

        `failures`: how often it failed so far, this time included; `unanswered`: how often of these
        it may have been carried out, and billed, all the same. Such a request is asked only once
        more.
        """
        if (
            not isinstance(error, UnavailableError | RateLimitedError)
            or failures > self.most
            or unanswered > 1
        ):
            return None
        wait_s = error.retry_after_s
        if wait_s is not None:
            return (
                wait_s + random.uniform(0.0, min(1.0, self.base_s))
                if wait_s <= self.patience_s
                else None
            )
        return random.uniform(0.0, min(self.longest_s, self.base_s * 2.0 ** (failures - 1)))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a server's Retry-After asks to wait; None where it says nothing that
    makes sense.

    It is a number of seconds or a date (RFC 9110, section 10.2.3).
    """
    said = next(
        (value for name, value in headers.items() if name.lower() == "retry-after"), ""
    ).strip()
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None

"""When a failed request is sent again, and after which pause."""

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
    """Rules for retries.

    Pauses grow and are drawn at random ("full jitter"), so that parallel requests do not return at
    the same moment. A pause that the server asks for is obeyed. With the defaults all pauses
    together take half a minute on average.
    """

    most: int = 6
    """Maximum number of retries of a request."""
    base_s: float = 1.0
    """Upper bound of the first pause; it doubles with each further one."""
    longest_s: float = 60.0
    """Upper bound of every pause."""
    patience_s: float = 120.0
    """If a server asks for a longer pause, the request has failed."""

    def pause_s(self, error: ProposerError, failures: int, unanswered: int) -> float | None:
        """Return the pause in seconds before a request is sent again; None if it is not.

        `failures`: number of failures so far, this one included. `unanswered`: how many of them may
        have been carried out and billed; such a request is sent only once more.
        """
        if (
            not isinstance(error, UnavailableError | RateLimitedError)
            or failures > self.most
            or unanswered > 1
        ):
            return None
        wait_s = error.retry_after_s
        if wait_s is not None and wait_s > self.patience_s:
            return None
        if wait_s is not None:
            return wait_s + random.uniform(0.0, min(1.0, self.base_s))
        return random.uniform(0.0, min(self.longest_s, self.base_s * 2.0 ** (failures - 1)))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server's Retry-After asks for; None if it is absent or unreadable.

    It is a number of seconds or a date (RFC 9110, section 10.2.3).
    """
    values = (value for name, value in headers.items() if name.lower() == "retry-after")
    text = next(values, "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None

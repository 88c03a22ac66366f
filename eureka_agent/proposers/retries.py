"""When a failed request is sent again, and after which pause.

The rules are tenacity's. Its loop is not used: between two attempts the thread of the run reserves
tokens and saves the reservation, while requests are sent by another thread (`chat.py`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random,
    wait_random_exponential,
)

from eureka_agent.errors import ProposerError, RateLimitedError, UnavailableError

_IS_TEMPORARY = retry_if_exception_type((UnavailableError, RateLimitedError))


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
        """Return the pause before a request is sent again.

        Args:
            error: The last failure.
            failures: Number of failures so far, this one included.
            unanswered: How many of them may have been carried out and billed. Such a request is
                sent only once more.

        Returns:
            The pause in seconds; None if the request is not sent again.
        """
        attempt = _failed_attempt(error, failures)
        is_last = stop_after_attempt(self.most + 1)
        if not _IS_TEMPORARY(attempt) or is_last(attempt) or unanswered > 1:
            return None
        wait_s = error.retry_after_s
        if wait_s is None:
            full_jitter = wait_random_exponential(multiplier=self.base_s, max=self.longest_s)
            return full_jitter(attempt)
        if wait_s > self.patience_s:
            return None
        jitter = wait_random(0.0, min(1.0, self.base_s))
        return wait_s + jitter(attempt)


def _failed_attempt(error: ProposerError, failures: int) -> RetryCallState:
    """Return tenacity's record of the attempt that ended with `error`."""
    attempt = RetryCallState(Retrying(), fn=None, args=(), kwargs={})
    attempt.attempt_number = failures
    attempt.set_exception((type(error), error, error.__traceback__))
    return attempt


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

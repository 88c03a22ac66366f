"""Events of a proposer while it asks models."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RequestRetried:
    """A request to a model failed and is sent again after a pause."""

    sample: str
    """Name of the requested candidate, such as `g0c3`."""
    reason: str
    """The error, in one sentence."""
    attempt: int
    """Number of the next attempt; the first was 1."""
    of: int
    """Number of the last attempt."""
    pause_s: float
    """Seconds until the next attempt."""


@dataclass(frozen=True)
class RequestsAdapted:
    """Requests are sent in another form from now on, as a server requires."""

    what: str
    """The change and its reason, in one or two sentences."""


ProposerEvent = RequestRetried | RequestsAdapted

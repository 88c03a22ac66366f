"""What a proposer tells while it asks models."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AskedAgain:
    """A request to a model failed, and is sent again after a pause."""

    sample: str
    """What was asked for: a candidate's name, such as `g0c3`."""
    reason: str
    """What went wrong, in one sentence."""
    attempt: int
    """Which try comes next; the first one was 1."""
    of: int
    """The last try."""
    pause_s: float
    """Seconds until then."""


@dataclass(frozen=True)
class Adapted:
    """Requests are made in another way from now on, as a server wants it."""

    what: str
    """What changed and why, in one or two sentences."""


Told = AskedAgain | Adapted

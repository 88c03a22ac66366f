from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from eureka_agent.errors import (
    AuthenticationError,
    BadResponseError,
    RateLimitedError,
    UnavailableError,
)
from eureka_agent.proposers.retries import Retries, retry_after_s

DOWN = UnavailableError("down")


def test_pauses_grow_and_are_drawn_from_their_whole_range() -> None:
    retries = Retries(most=6, base_s=1.0, longest_s=10.0)
    for failures, longest in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (6, 10.0)]:
        pauses = [retries.pause_s(DOWN, failures, 0) for _ in range(400)]
        known = [pause for pause in pauses if pause is not None]
        assert len(known) == 400
        assert 0.0 <= min(known) < 0.1 * longest
        assert 0.9 * longest < max(known) <= longest
    assert retries.pause_s(DOWN, 7, 0) is None


def test_a_possibly_billed_request_is_retried_once() -> None:
    assert Retries().pause_s(UnavailableError("cut", may_be_billed=True), 1, 1) is not None
    assert Retries().pause_s(UnavailableError("cut", may_be_billed=True), 2, 2) is None


@pytest.mark.parametrize(
    "error", [AuthenticationError("no"), BadResponseError("no", may_be_billed=True)]
)
def test_useless_retries_are_not_made(
    error: AuthenticationError | BadResponseError,
) -> None:
    assert Retries().pause_s(error, 1, 0) is None


def test_the_pause_that_the_server_asks_for_is_used() -> None:
    pause = Retries(patience_s=60.0).pause_s(RateLimitedError("slow", retry_after_s=50.0), 1, 0)
    assert pause is not None
    assert 50.0 <= pause <= 51.0
    assert (
        Retries(patience_s=60.0).pause_s(RateLimitedError("slow", retry_after_s=61.0), 1, 0) is None
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        (" 0.5 ", 0.5),
        ("-4", 0.0),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": value}) == seconds
    assert retry_after_s({}) is None


def test_retry_after_as_a_date() -> None:
    wait_s = retry_after_s({"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert wait_s is not None
    assert 25.0 < wait_s <= 30.0
    assert retry_after_s({"retry-after": formatdate(0, usegmt=True)}) == 0.0

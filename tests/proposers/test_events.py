"""A proposer's events, lower concurrency for slow servers, and test requests."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from eureka_agent import errors
from eureka_agent.proposers.events import ProposerEvent, RequestRetried, RequestsAdapted
from eureka_agent.proposers.spending import Usage, UsageLimits
from tests.support.chat import BACKENDS, PROMPT, proposer
from tests.support.openai_server import ChatServer, Reply, completion, error, reset

USAGE = {"prompt_tokens": 7, "completion_tokens": 5}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")


def listen(
    server: ChatServer, kind: str = "openai", **options: Any
) -> tuple[Any, list[ProposerEvent]]:
    asked = proposer(server, kind, **options)
    events: list[ProposerEvent] = []
    asked.emit = events.append
    return asked, events


@pytest.mark.parametrize("kind", BACKENDS)
def test_each_retry_is_reported_with_its_reason_before_the_pause(
    chat_server: ChatServer, kind: str
) -> None:
    chat_server.order([error(503, "overloaded"), error(429, "slow", retry_after="0.2")])
    asked, events = listen(chat_server, kind, retries=3)
    assert len(list(asked.propose({4: PROMPT}))) == 1
    first, second = events
    assert isinstance(first, RequestRetried)
    assert isinstance(second, RequestRetried)
    assert (first.sample, first.attempt, first.of) == ("g0c4", 2, 4)
    assert (second.sample, second.attempt, second.of) == ("g0c4", 3, 4)
    assert "status 503" in first.reason
    assert "overloaded" in first.reason
    assert 0.0 <= first.pause_s <= 0.01
    assert 0.2 <= second.pause_s <= 0.21


def test_a_possibly_billed_request_is_retried_once(chat_server: ChatServer) -> None:
    chat_server.order([reset()])
    asked, events = listen(chat_server, retries=5)
    list(asked.propose({0: PROMPT}))
    assert [(each.attempt, each.of) for each in events if isinstance(each, RequestRetried)] == [
        (2, 2)
    ]


def test_without_failures_there_are_no_events(chat_server: ChatServer) -> None:
    asked, events = listen(chat_server)
    list(asked.propose({0: PROMPT}))
    assert events == []


# ---------------------------------------------------------------- a server with a queue
def test_concurrency_drops_for_a_server_that_answers_one_by_one(
    chat_server: ChatServer,
) -> None:
    """The server takes 0.4 s for each request: six at a time exceed a deadline of 1.5 s."""
    one_at_a_time = threading.Lock()

    def answer(request: dict[str, Any]) -> Reply:
        with one_at_a_time:
            time.sleep(0.4)
        return completion("hi", usage=USAGE)

    chat_server.default = answer
    asked, events = listen(chat_server, deadline_s=1.5, concurrency=6, retries=2)
    assert len(list(asked.propose(dict.fromkeys(range(6), PROMPT)))) == 6
    changes = [each.what for each in events if isinstance(each, RequestsAdapted)]
    assert len(changes) == 1  # one for all requests that were late together
    assert "in time: 1 request runs at a time from now on (--concurrency)" in changes[0]


def test_concurrency_halves_if_no_request_is_answered(chat_server: ChatServer) -> None:
    chat_server.default = completion("late", delay_s=5.0)
    asked, events = listen(chat_server, deadline_s=0.4, concurrency=4, retries=2)
    with pytest.raises(errors.UnavailableError, match="--concurrency"):
        list(asked.propose(dict.fromkeys(range(4), PROMPT)))
    changes = [each.what for each in events if isinstance(each, RequestsAdapted)]
    assert "2 requests run at a time" in changes[0]
    assert len(chat_server.requests) == 8


def test_a_late_request_without_others_changes_nothing(chat_server: ChatServer) -> None:
    chat_server.default = completion("late", delay_s=5.0)
    asked, events = listen(chat_server, deadline_s=0.4, concurrency=4, retries=2)
    with pytest.raises(errors.UnavailableError):
        list(asked.propose({0: PROMPT}))
    assert [type(each) for each in events] == [RequestRetried]


# ---------------------------------------------------------------- test requests
HOPELESS = [
    (error(401, "bad key"), errors.AuthenticationError, 1),
    (error(404, "no", code="model_not_found"), errors.UnknownModelError, 1),
    (error(400, "gtp-5 is not a valid model ID"), errors.UnknownModelError, 1),
    (error(402), errors.QuotaError, 1),
    (Reply(404, '{"detail": "Not Found"}'), errors.BadResponseError, 1),
    (error(503), errors.UnavailableError, 3),
]


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize(("reply", "kind_of_error", "requests"), HOPELESS)
def test_a_test_request_finds_what_the_user_has_to_fix(
    chat_server: ChatServer, kind: str, reply: Reply, kind_of_error: type[Exception], requests: int
) -> None:
    chat_server.default = reply
    asked, _ = listen(chat_server, kind, retries=2, spending=(spending := UsageLimits()))
    with pytest.raises(kind_of_error):
        asked.try_out(["test-model"])
    assert len(chat_server.requests) == requests
    assert spending.reserved == Usage()


@pytest.mark.parametrize(
    "reply",
    [error(400, "the limit is too low"), error(400, "x", code="content_filter"), error(429)],
)
def test_errors_of_the_test_request_itself_are_ignored(
    chat_server: ChatServer, reply: Reply
) -> None:
    chat_server.default = reply
    asked, _ = listen(chat_server, spending=(spending := UsageLimits()))
    asked.try_out(["test-model"])
    assert len(chat_server.requests) == 1
    assert spending.reserved == Usage()


def test_a_test_request_is_short_and_counts_against_the_limits(chat_server: ChatServer) -> None:
    chat_server.default = completion("yes", usage=USAGE)
    kept: list[Usage] = []
    spending = UsageLimits(max_tokens=1_000)
    spending.resume_from(Usage(), kept.append)
    asked, _ = listen(chat_server, answer_tokens=900, spending=spending)
    asked.try_out(["test-model"])
    assert chat_server.requests[0]["max_tokens"] == 16
    # Reserved before sending: 8 bytes, 2 x 16 for a message, 16 for an answer.
    assert kept == [Usage(8 + 32 + 16), Usage(12)]


def test_a_test_request_is_left_out_if_the_limits_have_no_room(chat_server: ChatServer) -> None:
    asked, _ = listen(chat_server, spending=UsageLimits(max_tokens=10))
    asked.try_out(["test-model"])
    assert not chat_server.requests

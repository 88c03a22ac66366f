from __future__ import annotations

import random
from typing import Any

import pytest

from eureka_agent.errors import AuthenticationError, LimitReachedError, ProposerError
from eureka_agent.proposers.prices import Price
from eureka_agent.proposers.spending import Usage, UsageLimits
from eureka_agent.records import Completion
from tests.support.billing_server import BillingServer
from tests.support.chat import PROMPT, proposer
from tests.support.openai_server import ChatServer, completion, error, raw, reset


def test_a_reservation_counts_until_it_is_settled() -> None:
    kept: list[Usage] = []
    spending = UsageLimits(max_tokens=100)
    spending.resume_from(Usage(30), kept.append)
    assert spending.reserve(Usage(50))
    # 30 spent + 50 reserved + 21 are one too many.
    assert not spending.reserve(Usage(21))
    assert spending.exceeded_by(Usage(21)) == "--max-tokens 100"
    assert spending.exceeded_by(Usage(20)) == ""
    spending.settle(Usage(50), Usage(5))
    assert spending.reserved == Usage(35)
    assert kept == [Usage(80), Usage(35)]


def test_a_reservation_is_saved_before_it_counts() -> None:
    """If it cannot be saved, the request is not sent."""
    spending = UsageLimits(max_tokens=100)

    def full(reserved: Usage) -> None:
        raise OSError("disk full")

    spending.resume_from(Usage(), full)
    with pytest.raises(OSError, match="disk full"):
        spending.reserve(Usage(50))
    assert spending.reserved == Usage()


def ask(
    server: ChatServer, samples: int, **options: Any
) -> tuple[list[Completion], Exception | None]:
    answers: list[Completion] = []
    try:
        for answer in proposer(server, **options).propose(dict.fromkeys(range(samples), PROMPT)):
            answers.append(answer)
    except (LimitReachedError, ProposerError) as raised:
        return answers, raised
    return answers, None


# PROMPT is 18 + 9 bytes in two messages: 27 + 3 * 16 = 75 tokens at most, and 100 of the answer
# make 175.
WORST = 175


@pytest.mark.parametrize(
    ("limit", "answers"), [(WORST - 1, 0), (WORST, 1), (2 * WORST - 1, 1), (2 * WORST, 2)]
)
def test_only_requests_whose_worst_case_fits_are_sent(
    chat_server: ChatServer, limit: int, answers: int
) -> None:
    # Without usage every answer stays counted with its worst case.
    given, ended = ask(chat_server, 4, answer_tokens=100, spending=UsageLimits(max_tokens=limit))
    assert len(given) == len(chat_server.requests) == answers
    assert isinstance(ended, LimitReachedError)
    assert f"--max-tokens {limit} leaves no room for another request" in str(ended)


def test_tokens_that_an_answer_did_not_use_are_available_again(chat_server: ChatServer) -> None:
    chat_server.default = completion("hi", usage={"prompt_tokens": 10, "completion_tokens": 5})
    spending = UsageLimits(max_tokens=WORST + 15)
    given, ended = ask(chat_server, 8, answer_tokens=100, spending=spending)
    # Each takes 15 in the end: after two, 30 + 175 is above 190.
    assert len(given) == 2
    assert spending.reserved == Usage(30)
    assert isinstance(ended, LimitReachedError)


@pytest.mark.parametrize(
    ("usage", "took"),
    [
        # 10 of the prompt, and 100 of the answer that only the total has. After two, 220 + 175 are
        # above 350.
        ({"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 110}, 110),
        ({"prompt_tokens": 10, "completion_tokens": 0}, WORST),
    ],
)
def test_an_answer_with_incomplete_usage_is_counted_fully(
    chat_server: ChatServer, usage: dict[str, int], took: int
) -> None:
    chat_server.default = completion("x" * 4000, usage=usage)
    spending = UsageLimits(max_tokens=2 * WORST)
    given, ended = ask(chat_server, 18, answer_tokens=100, spending=spending)
    assert len(given) == 2
    assert spending.reserved == Usage(2 * took)
    assert isinstance(ended, LimitReachedError)


def test_an_error_does_not_hide_the_limit(chat_server: ChatServer) -> None:
    # An invalid answer stays counted with its worst case, and so does one without usage: 350
    # for two.
    chat_server.order([raw("<html>")])
    given, ended = ask(
        chat_server, 4, answer_tokens=100, concurrency=1, spending=UsageLimits(max_tokens=2 * WORST)
    )
    assert len(given) == 1
    assert isinstance(ended, LimitReachedError)
    assert f"--max-tokens {2 * WORST} leaves no room for another request" in str(ended)
    assert "Before that, a request failed: " in str(ended)
    assert "did not answer with a chat completion" in str(ended)


def test_a_refused_key_is_reported_before_the_limit(chat_server: ChatServer) -> None:
    chat_server.order([completion("hi"), error(401)])
    _, ended = ask(
        chat_server, 4, answer_tokens=100, concurrency=1, spending=UsageLimits(max_tokens=2 * WORST)
    )
    assert isinstance(ended, AuthenticationError)


def test_a_possibly_billed_request_stays_counted(chat_server: ChatServer) -> None:
    chat_server.order(
        [reset(), error(503), completion("hi", usage={"prompt_tokens": 10, "completion_tokens": 5})]
    )
    spending = UsageLimits()
    given, _ = ask(chat_server, 1, retries=3, answer_tokens=100, spending=spending)
    assert len(given) == 1
    # The reset request counts in full, the refused one not at all.
    assert spending.reserved == Usage(WORST + 15)


def test_requests_under_way_when_a_run_stops_stay_counted(chat_server: ChatServer) -> None:
    chat_server.order([completion("first", usage={"prompt_tokens": 10, "completion_tokens": 5})])
    chat_server.default = completion("late", delay_s=5.0)
    kept: list[Usage] = []
    spending = UsageLimits()
    spending.resume_from(Usage(), kept.append)
    asked = proposer(chat_server, answer_tokens=100, spending=spending, concurrency=3)
    answers = asked.propose(dict.fromkeys(range(8), PROMPT))
    next(answers)
    # Killed while the first answer is being stored: it is settled afterwards, so all three count in
    # full.
    assert kept[-1] == Usage(3 * WORST)
    answers.close()  # type: ignore[attr-defined]
    assert kept[-1] == Usage(3 * WORST)


def test_the_cost_is_price_times_usage(chat_server: ChatServer) -> None:
    chat_server.order(
        [completion("a", usage={"prompt_tokens": 1000, "completion_tokens": 500}), completion("b")]
    )
    given, _ = ask(chat_server, 2, price=Price(2e-6, 8e-6), concurrency=1)
    # 1000 * 2e-6 + 500 * 8e-6
    assert [answer.cost_usd for answer in given] == [pytest.approx(0.006), None]


@pytest.mark.parametrize("seed", range(40))
def test_a_limit_in_usd_holds_for_a_failing_server(chat_server: ChatServer, seed: int) -> None:
    """Eight parallel requests, resets, cut answers, missing usage: the bill is within the limit."""
    rng = random.Random(seed)
    price = Price(rng.uniform(0.0, 1e-3), rng.uniform(0.0, 1e-3))
    answer_tokens = rng.randint(1, 500)
    one = price.of(WORST - 100, answer_tokens)
    limit = rng.uniform(0.5, 30.0) * one
    chat_server.default = server = BillingServer(rng, price)
    spending = UsageLimits(max_cost_usd=limit)
    options: dict[str, Any] = {
        "retries": 3,
        "price": price,
        "answer_tokens": answer_tokens,
        "spending": spending,
    }
    given, ended = ask(chat_server, rng.randint(1, 60), **options)
    assert server.usd <= limit
    assert server.usd <= spending.reserved.usd + 1e-9
    assert sum(answer.cost_usd or 0.0 for answer in given) <= server.usd + 1e-9
    assert chat_server.max_in_flight <= 8
    if isinstance(ended, LimitReachedError):
        assert spending.reserved.usd + one > limit

"""Answers with several choices: each choice is a sample, and tokens are counted once."""

from __future__ import annotations

from typing import Any

import pytest

from eureka_agent import errors
from eureka_agent.config.extra_body import parse_extra_body
from eureka_agent.errors import UsageError
from eureka_agent.proposers.prices import Price
from eureka_agent.proposers.spending import Usage, UsageLimits
from eureka_agent.records import Completion, Message, Prompt
from tests.support.chat import BACKENDS, PROMPT, proposer
from tests.support.openai_server import ChatServer, Reply, choices, completion, error

USAGE = {"prompt_tokens": 7, "completion_tokens": 5}
PROMPT_TOKENS = 27 + 3 * 16
OTHER = Prompt(0, (Message("user", "Stand, ant."),))


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")


def ask(
    server: ChatServer, samples: int, kind: str = "openai", **options: Any
) -> dict[int, Completion]:
    asked = proposer(server, kind, **options)
    return {answer.index: answer for answer in asked.propose(dict.fromkeys(range(samples), PROMPT))}


@pytest.mark.parametrize("kind", BACKENDS)
def test_each_choice_is_a_sample_and_its_tokens_count_once(
    chat_server: ChatServer, kind: str
) -> None:
    chat_server.order(
        [
            choices("a", "b", usage=USAGE),
            choices("c", "d", usage=USAGE),
            choices("e", "f", usage=USAGE),
        ]
    )
    spending = UsageLimits()
    answers = ask(
        chat_server,
        5,
        kind,
        extra={"n": 2},
        concurrency=1,
        spending=spending,
        price=Price(1.0, 10.0),
    )
    assert {index: answer.text for index, answer in answers.items()} == dict(enumerate("abcde"))
    assert [request["n"] for request in chat_server.requests] == [2, 2, 2]
    assert [answers[index].completion_tokens for index in range(5)] == [5, 0, 5, 0, 5]
    assert [answers[index].cost_usd for index in range(5)] == [57.0, 0.0, 57.0, 0.0, 57.0]
    assert spending.reserved == Usage(3 * 12, 3 * 57.0)


def test_the_reservation_covers_every_choice(chat_server: ChatServer) -> None:
    """Four choices may take four times the limit; without usage all of it stays counted."""
    chat_server.default = choices("a", "b", "c", "d")
    spending = UsageLimits(max_tokens=PROMPT_TOKENS + 4 * 100)
    asked = proposer(chat_server, extra={"n": 4}, answer_tokens=100, spending=spending)
    answers = asked.propose(dict.fromkeys(range(5), PROMPT))
    assert [next(answers).text for _ in range(4)] == ["a", "b", "c", "d"]
    with pytest.raises(errors.LimitReachedError):
        next(answers)
    assert len(chat_server.requests) == 1
    assert spending.reserved == Usage(PROMPT_TOKENS + 4 * 100)
    # Not even one such request fits in one token less.
    with pytest.raises(errors.LimitReachedError):
        ask(
            chat_server,
            1,
            extra={"n": 4},
            answer_tokens=100,
            spending=UsageLimits(max_tokens=PROMPT_TOKENS + 399),
        )
    assert len(chat_server.requests) == 1


def test_missing_choices_are_requested_again(chat_server: ChatServer) -> None:
    chat_server.default = lambda request: completion(f"{len(chat_server.requests)}", usage=USAGE)
    answers = ask(chat_server, 4, extra={"n": 4}, concurrency=1)
    assert {index: answer.text for index, answer in answers.items()} == {
        0: "1",
        1: "2",
        2: "3",
        3: "4",
    }


def test_unrequested_choices_are_used_for_waiting_samples(
    chat_server: ChatServer,
) -> None:
    chat_server.default = choices("a", "b", usage=USAGE)
    assert len(ask(chat_server, 6, concurrency=1)) == 6
    assert len(chat_server.requests) == 3


def test_an_unrequested_empty_choice_is_ignored(chat_server: ChatServer) -> None:
    chat_server.default = choices("", "a", usage=USAGE)
    answers = ask(chat_server, 2, concurrency=1)
    assert [answer.text for answer in answers.values()] == ["a", "a"]


def test_choices_are_used_only_for_their_own_prompt(chat_server: ChatServer) -> None:
    def answering(request: dict[str, Any]) -> Reply:
        word = "stand" if "Stand" in request["messages"][-1]["content"] else "run"
        return choices(word, word, usage=USAGE)

    chat_server.default = answering
    prompts = {0: PROMPT, 1: OTHER, 2: PROMPT, 3: OTHER}
    asked = proposer(chat_server, extra={"n": 2}, concurrency=1)
    answers = {answer.index: answer.text for answer in asked.propose(prompts)}
    assert answers == {0: "run", 1: "stand", 2: "run", 3: "stand"}
    assert len(chat_server.requests) == 2


def test_a_refused_prompt_fails_all_of_its_samples(chat_server: ChatServer) -> None:
    chat_server.order([choices("a", "b", usage=USAGE), error(400, "no", code="content_filter")])
    answers = ask(chat_server, 4, extra={"n": 2}, concurrency=1)
    assert len(chat_server.requests) == 2
    assert [answers[index].text for index in range(2)] == ["a", "b"]
    assert all(answers[index].completion_tokens == 0 for index in (2, 3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("enable_thinking=false", "must be a JSON object in one argument"),
        ("[1]", "must be a JSON object"),
        ("", "must be a JSON object"),
        ('{"model": "x"}', "must not set 'model': give --model"),
        ('{"messages": []}', "must not set 'messages': they are the prompt"),
        ('{"max_tokens": 5}', "give --answer-tokens"),
        ('{"stream": 1}', "must be true or false, got 1"),
        ('{"n": 0}', "from 1 to 128, got 0"),
        ('{"n": true}', "from 1 to 128, got True"),
    ],
)
def test_invalid_further_fields_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_extra_body(text)


def test_valid_further_fields_are_read() -> None:
    given = parse_extra_body('{"enable_thinking": false, "n": 2, "stream": true}')
    assert given.fields == {"enable_thinking": False, "n": 2}
    assert given.stream
    assert parse_extra_body(None).fields == {}
    assert not parse_extra_body(None).stream

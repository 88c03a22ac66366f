from __future__ import annotations

from typing import Any

import pytest

from eureka_agent import errors
from eureka_agent.proposers.answers import read_answer, without_thoughts


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("x", "x"),
        ("", ""),
        ("<think>hm</think>x", "x"),
        ("\n <think>\nhm\n</think>\n\nx\n", "x\n"),
        ("hm\n</think>\nx", "x"),  # the template wrote the opening tag
        ("<think>hm, and then the limit", ""),
        ("<think></think>", ""),
        ("# uses <think> and </think> as words\nx", "# uses <think> and </think> as words\nx"),
    ],
)
def test_leading_thoughts_are_removed(text: str, answer: str) -> None:
    assert without_thoughts(text) == answer


@pytest.mark.parametrize(
    ("message", "usage", "tokens"),
    [
        ({"content": "x"}, {"prompt_tokens": 7, "completion_tokens": 5}, (7, 5)),
        (
            {"content": "x"},
            {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
            (7, 5),
        ),
        # The total is larger: 10 of the prompt and 5020 of the answer, 5000 of them thoughts.
        (
            {"content": "x"},
            {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 5030},
            (10, 5020),
        ),
        (
            {"content": "x" * 4000},
            {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 110},
            (10, 100),
        ),
        ({"content": "x"}, {"prompt_tokens": 10, "total_tokens": 110}, (10, 100)),
        # The total is smaller or invalid.
        (
            {"content": "x"},
            {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 25},
            (10, 20),
        ),
        (
            {"content": "x"},
            {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": -1},
            (10, 20),
        ),
        # The answer has text, but the server counted nothing.
        ({"content": "x"}, {"prompt_tokens": 10, "completion_tokens": 0}, (10, None)),
        (
            {"content": "x"},
            {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10},
            (10, None),
        ),
        (
            {"content": "", "reasoning_content": "hm"},
            {"prompt_tokens": 10, "completion_tokens": 0},
            (10, None),
        ),
        (
            {"content": None, "reasoning": "hm"},
            {"prompt_tokens": 10, "completion_tokens": 0},
            (10, None),
        ),
        ({"content": "<think>hm"}, {"prompt_tokens": 10, "completion_tokens": 0}, (10, None)),
        (
            {"content": ""},
            {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10},
            (10, 0),
        ),
    ],
)
def test_token_counts_include_thoughts(
    message: dict[str, Any], usage: dict[str, int], tokens: tuple[int, int | None]
) -> None:
    answer = read_answer({"choices": [{"message": message}], "usage": usage}, "m", "here")
    assert (answer.prompt_tokens, answer.completion_tokens) == tokens


ERRORS: list[tuple[object, type[errors.ProposerError]]] = [
    ({"code": 429, "message": "slow"}, errors.RateLimitedError),
    ({"code": "502", "message": "x"}, errors.UnavailableError),
    ({"code": "rate_limit_exceeded", "message": "slow"}, errors.RateLimitedError),
    ({"status": "RESOURCE_EXHAUSTED", "message": "slow"}, errors.RateLimitedError),
    (
        {"code": "invalid_api_key", "message": "Incorrect API key provided"},
        errors.AuthenticationError,
    ),
    ({"type": "authentication_error", "message": "no"}, errors.AuthenticationError),
    ({"code": None, "type": "overloaded_error", "message": "Overloaded"}, errors.UnavailableError),
    ({"code": "server_error", "message": "oh"}, errors.UnavailableError),
    ({"code": "insufficient_quota", "message": "no"}, errors.QuotaError),
    ({"code": "model_not_found", "message": "no"}, errors.UnknownModelError),
    ({"code": "context_length_exceeded", "message": "no"}, errors.ContextTooLongError),
    ({"code": "odd", "message": "x"}, errors.BadResponseError),
    ({"code": 200, "message": "x"}, errors.BadResponseError),
    ({"code": [], "message": {}}, errors.BadResponseError),
    ("odd", errors.BadResponseError),
]


@pytest.mark.parametrize(("error", "kind"), ERRORS)
def test_an_error_with_status_200_becomes_the_reported_error(
    error: object, kind: type[errors.ProposerError]
) -> None:
    with pytest.raises(errors.ProposerError) as raised:
        read_answer({"error": error}, "m", "here")
    assert type(raised.value) is kind


@pytest.mark.parametrize(("error", "kind"), [*ERRORS, (None, errors.BadResponseError)])
def test_an_error_inside_a_choice_raises_that_error(
    error: object, kind: type[errors.ProposerError]
) -> None:
    choice = {"finish_reason": "error", "error": error, "message": {"content": "def comp"}}
    with pytest.raises(errors.ProposerError) as raised:
        read_answer({"choices": [choice]}, "m", "here")
    assert type(raised.value) is kind
    assert raised.value.may_be_billed

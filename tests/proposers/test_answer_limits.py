"""The lower limit of an answer that follows from a server's complaint."""

from __future__ import annotations

import pytest

from eureka_agent.proposers.answer_limits import lower_limit

ROOM = 8192 - 1000 - 32
"""A context minus its prompt and a template's tokens."""


@pytest.mark.parametrize(
    ("complaint", "limit"),
    [
        ("maximum context length is 8192 tokens. However, you requested 17384 (1000 in the messages, 16384 in the "
         "completion).", ROOM),
        ("max_tokens is too large: 16384. This model's maximum context length is 8192 tokens and your request has 1000 "
         "input tokens (16384 > 8192 - 1000).", ROOM),
        ("maximum context length is 8,192 tokens, and your prompt contains at least 1,000 input tokens", ROOM),
        ("`inputs` tokens + `max_new_tokens` must be <= 8192. Given: 1000 `inputs` tokens and 16384 `max_new_tokens`",
         ROOM),
        ("Prompt contains 1000 tokens and 16384 max_tokens, too large for a model with 8192 maximum context",
         ROOM),
        ("input length and `max_tokens` exceed context limit: 190000 + 16384 > 200000", 200_000 - 190_000 - 32),
        # A prompt of unknown length, here 3,000 bytes: a token for each three.
        ("the request exceeds the available context size (8192 tokens)", ROOM),
        # A context as long as the limit itself, and one that is a little longer.
        ("maximum context length is 16384 tokens. However, you requested 17384 tokens (1000 in the messages, 16384 in "
         "the completion).", 16384 - 1000 - 32),
        # Limits of the answer alone.
        ("max_tokens is too large: 16384. This model supports at most 4096 completion tokens", 4096),
        ("max_tokens: 16384 > 8192, which is the maximum allowed number of output tokens", 8192),
        ("`max_tokens` must be less than or equal to `8192`, the maximum value", 8192),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("Range of max_tokens should be [1, 8192]", 8192),
        ("max_tokens is too large", 16384 // 2),
        ("maximum context length is 99999 tokens, and max_tokens is too large", 16384 // 2),
        # About something else, or without room for any answer.
        ("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.", None),
        ("maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.", None),
        ("maximum context length is 4 tokens", None),
        ("the prompt is too long", None),
        ("no such field", None),
        ("", None),
    ],
)  # fmt: skip
def test_lower_limit_follows_from_the_complaint(complaint: str, limit: int | None) -> None:
    assert lower_limit(complaint, 16_384, 3_000) == limit


def test_a_limit_that_is_already_short_is_not_lowered() -> None:
    assert lower_limit("max_tokens is too large", 256, 10) is None


def test_repeated_complaints_end_without_a_limit() -> None:
    limit: int | None = 16_384
    lowered = 0
    while limit is not None:
        limit = lower_limit(
            "maximum context length is 99999 tokens, and max_tokens is too large", limit, 3_000
        )
        lowered += 1
    assert lowered == 7

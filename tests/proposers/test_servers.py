"""Real servers: answers in unusual places, streams, small contexts, special request forms.

The rows are like those of `test_misbehaving.py`: result, number of requests, counted tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eureka_agent import errors
from tests.support.chat import BACKENDS
from tests.support.openai_server import ChatServer, Reply, choices, error, raw, streamed
from tests.support.server_rows import FINE, WORST, Row, check, choice

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
USAGE = {"prompt_tokens": 7, "completion_tokens": 5}
CODE = "def compute_reward(x):\n    return x, {}\n"
ARGUMENTS = '{"code": "def compute_reward(x):\\n    return x, {}\\n"}'


def call(arguments: object) -> dict[str, Any]:
    return {"id": "t", "type": "function", "function": {"name": "submit", "arguments": arguments}}


def message(**parts: Any) -> Reply:
    """Return a good completion with this message."""
    return choice(message={"role": "assistant", "content": None, **parts}, finish_reason="stop")


def cut(**parts: Any) -> Reply:
    return choice(message={"role": "assistant", "content": None, **parts}, finish_reason="length")


def refusing(
    refused: Callable[[dict[str, Any]], bool], complaint: Reply, answer: Reply = FINE
) -> Any:
    """Return a server that complains about some requests and answers the others."""
    return lambda request: complaint if refused(request) else answer


def has_system(request: dict[str, Any]) -> bool:
    return any(message["role"] == "system" for message in request["messages"])


def is_not_one_user_message(request: dict[str, Any]) -> bool:
    wanted = [{"role": "user", "content": "You write rewards.\n\nRun, ant."}]
    return bool(request["messages"] != wanted)


def asks_for_more_than(tokens: int) -> Callable[[dict[str, Any]], bool]:
    return lambda request: (
        request.get("max_tokens", request.get("max_completion_tokens", 0)) > tokens
    )


def streams(request: dict[str, Any]) -> bool:
    return bool(request.get("stream"))


STREAM = streamed({"role": "assistant", "content": "fi"}, {"content": "ne"}, usage=USAGE)
NO_SYSTEM: dict[str, Any] = {"requests": 2, "tells": "takes no system message"}
LOWER: dict[str, Any] = {
    "requests": 2,
    "tells": "has no room for answers of 16,384 tokens",
    "asked": {"answer_tokens": 16_384},
}
CONTEXT = (
    "This model's maximum context length is 8192 tokens. However, you requested 17384 tokens (1000"
    " in the messages, 16384 in the completion). Please reduce the length of the messages or"
    " completion."
)
TOO_LARGE = (
    "'max_tokens' or 'max_completion_tokens' is too large: 16384. This model's maximum context"
    " length is 8192 tokens and your request has 1000 input tokens (16384 > 8192 - 1000)."
)
ROWS = [
    # ------------------------------------------------------------ place of the answer
    Row("code in the thoughts", message(reasoning_content=CODE), CODE),
    Row("code in the thoughts by their other name", message(reasoning=CODE), CODE),
    Row(
        "code in thoughts that are all of the content",
        message(content=f"<think>{CODE}"),
        f"<think>{CODE}",
    ),
    Row("code in thoughts that were cut off", cut(reasoning_content=CODE), ""),
    Row("thoughts without code", message(reasoning_content="Hm."), ""),
    Row(
        "code in a tool's call",
        message(tool_calls=[call(ARGUMENTS)], reasoning_content=CODE),
        ARGUMENTS,
    ),
    Row(
        "code in a function's call",
        message(function_call={"name": "f", "arguments": ARGUMENTS}),
        ARGUMENTS,
    ),
    Row("a call next to the content", message(content="x", tool_calls=[call(ARGUMENTS)]), "x"),
    Row("a call without arguments", message(tool_calls=[call("")]), ""),
    Row("an empty choice before one with text", choices(" ", "fine", usage=USAGE)),
    # ------------------------------------------------------------ streams
    Row(
        "a stream that was not asked for",
        STREAM,
        unlike={"ends": errors.BadResponseError, "counts": WORST},
    ),
    Row(
        "a stream",
        refusing(lambda request: not streams(request), error(500), STREAM),
        asked={"stream": True},
    ),
    Row(
        "a stream without usage",
        streamed({"content": "fine"}),
        counts=WORST,
        asked={"stream": True},
    ),
    Row(
        "a stream of thoughts",
        streamed({"reasoning_content": CODE[:9]}, {"reasoning_content": CODE[9:]}, usage=USAGE),
        CODE,
        asked={"stream": True},
    ),
    Row(
        "a stream of a call",
        streamed(
            {"tool_calls": [{"index": 0, **call(ARGUMENTS[:9])}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": ARGUMENTS[9:]}}]},
            usage=USAGE,
        ),
        ARGUMENTS,
        asked={"stream": True},
    ),
    Row(
        "a stream that breaks off",
        streamed({"content": "fi"}, finish_reason=None),
        errors.UnavailableError,
        requests=2,
        asked={"stream": True},
    ),
    Row(
        "JSON instead of a stream",
        FINE,
        asked={"stream": True},
        unlike={"ends": "", "counts": WORST},
    ),
    Row(
        "an error in a stream",
        raw(
            'data: {"error": {"code": 429, "message": "slow"}}\n\n',
            content_type="text/event-stream",
        ),
        errors.RateLimitedError,
        requests=3,
        counts=0,
        asked={"stream": True},
        unlike={"ends": errors.UnavailableError, "requests": 2, "counts": None},
    ),
    Row(
        "a server that only streams",
        refusing(
            lambda request: not streams(request),
            error(400, "This model only supports stream mode."),
            STREAM,
        ),
        requests=2,
        tells="only streams",
    ),
    Row(
        "no streams",
        refusing(streams, error(400, "Streaming is not supported by this model")),
        requests=2,
        tells="does not stream",
        asked={"stream": True},
    ),
    Row(
        "no stream_options",
        refusing(
            lambda request: "stream_options" in request,
            error(400, "unknown field stream_options"),
            STREAM,
        ),
        requests=2,
        asked={"stream": True},
        unlike={"counts": WORST},
    ),
    # ------------------------------------------------------------ no system message
    Row("system", refusing(has_system, error(400, "System role not supported")), **NO_SYSTEM),
    Row(
        "system, 500",
        refusing(has_system, error(500, "jinja: System role not supported")),
        **NO_SYSTEM,
    ),
    Row(
        "system, a value",
        refusing(
            has_system, error(400, "'messages[0].role' does not support 'system' with this model.")
        ),
        **NO_SYSTEM,
    ),
    Row(
        "system, an instruction",
        refusing(has_system, error(400, "Developer instruction is not enabled for models/x")),
        **NO_SYSTEM,
    ),
    Row(
        "system, roles",
        refusing(
            is_not_one_user_message,
            error(400, "Conversation roles must alternate user/assistant/user"),
        ),
        **NO_SYSTEM,
    ),
    # ------------------------------------------------------------ a small context
    Row("a context of 8k", refusing(asks_for_more_than(7192), error(400, CONTEXT)), **LOWER),
    Row(
        "a context of 8k, in other words",
        refusing(asks_for_more_than(7192), error(400, TOO_LARGE)),
        **LOWER,
    ),
    Row(
        "an answer of 4k",
        refusing(
            asks_for_more_than(4096),
            error(400, "max_tokens is too large: this model supports at most 4096"),
        ),
        **LOWER,
    ),
    Row(
        "a context that the prompt fills",
        error(
            400,
            "This model's maximum context length is 8192 tokens, your messages resulted in 9000"
            " tokens.",
        ),
        errors.ContextTooLongError,
        counts=0,
        asked={"answer_tokens": 16_384},
    ),
    # ------------------------------------------------------------ further fields
    Row(
        "a further field",
        refusing(lambda request: request.get("enable_thinking") is not False, error(400)),
        asked={"extra": {"enable_thinking": False}},
    ),
]


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_each_server_is_asked_in_the_form_it_needs(
    chat_server: ChatServer, row: Row, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(chat_server, row, kind, monkeypatch)

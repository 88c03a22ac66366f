"""Failures of a server, through both backends.

Each row gives the result and the number of requests. A request that may have been paid for is sent
again at most once; one that was answered or is useless to repeat, never; others at most twice
(`RETRIES`).
"""

from __future__ import annotations

import gzip
import json
import time
from email.utils import formatdate
from typing import Any

import pytest

from eureka_agent import errors
from tests.support.chat import BACKENDS
from tests.support.openai_server import ChatServer, broken, completion, error, raw, reset
from tests.support.server_rows import BODY, FINE, TOKENS, WORST, Row, body, check, choice

# LiteLLM warns of wrong types.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
LATE: dict[str, Any] = {
    "ends": errors.UnavailableError,
    "requests": 2,
    "late": True,
    "message": "in time",
}
UNREACHABLE: dict[str, Any] = {
    "ends": errors.UnavailableError, "requests": 0, "counts": 0, "message": "cannot be reached",
}  # fmt: skip
ROWS = [
    # ------------------------------------------------------------ final refusals: sent once, not billed
    Row("401", error(401, "bad key"), errors.AuthenticationError, counts=0, message="bad key"),
    Row("403", error(403, "not in your country"), errors.AuthenticationError, counts=0),
    Row("402", error(402), errors.QuotaError, counts=0),
    Row("429 that is a quota", error(429, code="insufficient_quota"), errors.QuotaError, counts=0),
    Row("404 model", error(404, "no", code="model_not_found"), errors.UnknownModelError, counts=0),
    Row("404 path", raw('{"detail": "Not Found"}', status=404), errors.BadResponseError, counts=0),
    Row(
        "404 page",
        raw("<html>", status=404, content_type="text/html"),
        errors.BadResponseError,
        counts=0,
    ),
    Row(
        "context",
        error(400, "x", code="context_length_exceeded"),
        errors.ContextTooLongError,
        counts=0,
    ),
    Row(
        "context in words",
        error(400, "maximum context length is 4 tokens"),
        errors.ContextTooLongError,
        counts=0,
    ),
    Row(
        "filter",
        error(400, "no", code="content_filter"),
        errors.FilteredError,
        counts=0,
        message="filter of",
    ),
    Row("filter, 403", error(403, "your input was flagged"), errors.FilteredError, counts=0),
    Row("407", error(407), errors.RefusedError, counts=0, message="check HTTPS_PROXY"),
    Row("413", error(413), errors.ContextTooLongError, counts=0),
    Row("400", error(400, "no such field"), errors.RefusedError, counts=0, message="no such field"),
    Row("422", error(422, "no such field"), errors.RefusedError, counts=0),
    Row("redirect", raw("", status=302), errors.BadResponseError, counts=0),
    Row(
        "redirect elsewhere",
        broken(raw("", status=307), headers={"Location": "http://127.0.0.1:9/v1/chat/completions"}),
        errors.BadResponseError,
        counts=0,
        unlike={"ends": errors.UnavailableError, "requests": 3},
    ),
    Row(
        "redirect here",
        broken(raw("", status=301), headers={"Location": "/v1"}),
        errors.BadResponseError,
        counts=0,
        unlike={"ends": errors.RefusedError, "requests": 2},
    ),
    # ------------------------------------------------------------ temporary failures
    Row("500 once", error(500), requests=2, once=True),
    Row(
        "502 once, a page",
        raw("<html>", status=502, content_type="text/html"),
        requests=2,
        once=True,
    ),
    Row("503 with Retry-After", error(503, retry_after="0.2"), requests=2, once=True),
    Row("429 once", error(429), requests=2, once=True),
    Row("429 with Retry-After", error(429, retry_after="0.2"), requests=2, once=True),
    Row(
        "429 with a date gone by",
        error(429, retry_after=formatdate(0, usegmt=True)),
        requests=2,
        once=True,
    ),
    Row("429 with nonsense", error(429, retry_after="soon"), requests=2, once=True),
    Row("409 once", error(409), requests=2, once=True),
    Row("reset once", reset(), requests=2, once=True, counts=WORST + TOKENS),
    Row("cut body once", broken(FINE, stop_after=40), requests=2, once=True, counts=WORST + TOKENS),
    # ------------------------------------------------------------ lasting failures: not carried out
    Row("500", error(500, "oh"), errors.UnavailableError, requests=3, counts=0),
    Row("503", error(503), errors.UnavailableError, requests=3, counts=0),
    Row("529", error(529, "overloaded"), errors.UnavailableError, requests=3, counts=0),
    Row("429", error(429), errors.RateLimitedError, requests=3, counts=0),
    Row("429 for too long", error(429, retry_after="999"), errors.RateLimitedError, counts=0),
    Row(
        "429 until tomorrow",
        error(429, retry_after=formatdate(time.time() + 86400, usegmt=True)),
        errors.RateLimitedError,
        counts=0,
    ),
    Row(
        "error in 200",
        raw('{"error": {"code": 429, "message": "slow"}}'),
        errors.RateLimitedError,
        3,
        counts=0,
        unlike={"requests": 2, "counts": None},
    ),
    Row(
        "error in 200, 5xx",
        raw('{"error": {"code": 502, "message": "x"}}'),
        errors.UnavailableError,
        3,
        counts=0,
        unlike={"ends": errors.BadResponseError, "requests": 1, "counts": None},
    ),
    Row("connection refused", FINE, at="http://127.0.0.1:9/v1", **UNREACHABLE),
    Row("no such host", FINE, at="http://nonexistent.invalid/v1", **UNREACHABLE),
    # ------------------------------------------------------------ lasting failures: perhaps carried out
    Row("504", error(504), errors.UnavailableError, requests=2),
    Row("reset", reset(), errors.UnavailableError, requests=2),
    Row("late", broken(FINE, delay_s=2.0), **LATE),
    Row(
        "headers, then silence",
        broken(FINE, stop_after=0, then="stall"),
        errors.UnavailableError,
        requests=2,
        late=True,
    ),
    Row("body stalls", broken(FINE, stop_after=40, then="stall"), **LATE),
    Row("body cut", broken(FINE, stop_after=40), errors.UnavailableError, requests=2),
    Row(
        "body reset", broken(FINE, stop_after=40, then="reset"), errors.UnavailableError, requests=2
    ),
    Row("slow drip", broken(FINE, drip_s=0.05), **LATE),
    Row("length too long", broken(FINE, declared=10_000), errors.UnavailableError, requests=2),
    Row(
        "no HTTP",
        broken(raw("220 smtp ready\r\n"), protocol=False),
        errors.UnavailableError,
        requests=2,
    ),
    # ------------------------------------------------------------ useless answers: never sent again
    Row("length too short", broken(FINE, declared=40, stop_after=40), errors.BadResponseError),
    Row("cut JSON", raw(BODY[:60]), errors.BadResponseError),
    Row(
        "HTML",
        raw("<html>Log in</html>", content_type="text/html"),
        errors.BadResponseError,
        message="Log in",
        unlike={"message": ""},
    ),
    Row("HTML as JSON", raw("<html>Log in</html>"), errors.BadResponseError),
    Row("nothing", raw(""), errors.BadResponseError),
    Row("null", raw("null"), errors.BadResponseError),
    Row("list", raw("[]"), errors.BadResponseError),
    Row("number", raw("7"), errors.BadResponseError),
    Row("deep nesting", raw("[" * 100_000), errors.BadResponseError),
    Row("no UTF-8", raw(b"\xff\xfe\x00".decode("latin-1")), errors.BadResponseError),
    Row("no choices", body(choices=[]), errors.BadResponseError),
    Row("choices null", body(choices=None), errors.BadResponseError),
    Row("choices a text", body(choices="x"), errors.BadResponseError),
    Row("choice without message", body(choices=[{}]), errors.BadResponseError),
    Row("choice a text", body(choices=["x"]), errors.BadResponseError),
    Row(
        "error without code in 200",
        raw('{"error": {"message": "odd"}}'),
        errors.BadResponseError,
        message="odd",
        unlike={"ends": errors.RefusedError},
    ),
    Row(
        "error a text in 200",
        raw('{"error": "odd"}'),
        errors.BadResponseError,
        unlike={"ends": errors.RefusedError},
    ),
    Row(
        "code a name in 200",
        raw('{"error": {"code": "rate_limit_exceeded", "message": "slow"}}'),
        errors.RateLimitedError,
        requests=3,
        counts=0,
        unlike={"requests": 2, "counts": None},
    ),
    Row(
        "key refused in 200",
        raw('{"error": {"code": "invalid_api_key", "message": "no"}}'),
        errors.AuthenticationError,
        counts=0,
        unlike={"counts": None},
    ),
    Row(
        "error in a choice",
        choice(
            finish_reason="error",
            error={"code": 502, "message": "gone"},
            message={"content": "def"},
        ),
        errors.UnavailableError,
        requests=2,
        message="gone",
    ),
    Row(
        "choice that broke off",
        choice(finish_reason="error"),
        errors.BadResponseError,
        message="broke the answer off",
    ),
    Row(
        "events instead of JSON",
        raw(f"data: {BODY}\n\n", content_type="text/event-stream"),
        unlike={"ends": errors.BadResponseError, "message": '"stream": true'},
    ),
    Row(
        "invalid gzip",
        broken(FINE, headers={"Content-Encoding": "gzip"}),
        errors.BadResponseError,
    ),
    Row(
        "endless",
        broken(raw("x" * 2**20), endless=True),
        errors.BadResponseError,
        message="more than 2 MiB",
        unlike={"ends": errors.UnavailableError, "requests": 2, "late": True, "message": "in time"},
    ),
    # ------------------------------------------------------------ unusual but valid answers
    Row("JSON as HTML", broken(FINE, content_type="text/html")),
    Row(
        "gzip",
        broken(FINE, body=gzip.compress(BODY.encode()), headers={"Content-Encoding": "gzip"}),
    ),
    Row(
        "a megabyte",
        completion("x" * 2**20, usage={"prompt_tokens": 7, "completion_tokens": 5}),
        "x" * 2**20,
    ),
    Row("content null", choice(message={"role": "assistant", "content": None}), ""),
    Row("no content", choice(message={"role": "assistant"}), ""),
    Row(
        "content a list",
        choice(message={"role": "assistant", "content": [{"type": "text", "text": "a"}, "b"]}),
        "ab",
        unlike={"ends": errors.BadResponseError},
    ),
    Row(
        "content a number",
        choice(message={"role": "assistant", "content": 7}),
        "",
        unlike={"ends": errors.BadResponseError},
    ),
    Row(
        "refusal",
        choice(message={"role": "assistant", "content": None, "refusal": "I won't."}),
        "I won't.",
    ),
    Row(
        "thoughts next to it",
        choice(message={"role": "assistant", "content": "x", "reasoning_content": "hm"}),
        "x",
    ),
    Row(
        "thoughts inside",
        choice(message={"role": "assistant", "content": "<think>hm\n</think>\nx"}),
        "x",
        unlike={"ends": "\nx"},
    ),
    Row("usage null", body(usage=None), counts=WORST),
    Row(
        "usage a text",
        body(usage="7 tokens"),
        counts=WORST,
        unlike={"ends": errors.BadResponseError},
    ),
    Row(
        "usage of wrong types",
        body(usage={"prompt_tokens": "7", "completion_tokens": None}),
        counts=WORST,
    ),
    Row(
        "usage below zero", body(usage={"prompt_tokens": -7, "completion_tokens": 5}), counts=WORST
    ),
    Row(
        "usage that leaves thoughts out",
        body(usage={"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 5030}),
        counts=5030,
    ),
    Row(
        "usage that leaves the answer out",
        body(usage={"prompt_tokens": 10, "completion_tokens": 0}),
        counts=WORST,
    ),
    Row(
        "nothing but choices",
        raw(json.dumps({"choices": json.loads(BODY)["choices"]})),
        counts=WORST,
    ),
    Row("model null", body(model=None)),
]


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_each_failure_ends_as_expected(
    chat_server: ChatServer, row: Row, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(chat_server, row, kind, monkeypatch)

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eureka_agent import errors
from eureka_agent.extract.reading import code_in
from eureka_agent.proposers.factory import chat_proposer
from eureka_agent.proposers.spending import UsageLimits
from eureka_agent.records import Completion, ImageMessage, Message, Prompt
from tests.support.chat import PROMPT, proposer
from tests.support.openai_server import ChatServer, Reply, broken, completion, error

CODE = "def compute_reward(speed):\n    return speed, {}\n"


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
        "OPENAI_ADMIN_KEY",
    ):
        monkeypatch.delenv(name, raising=False)


def ask(server: ChatServer, samples: int = 1, **options: Any) -> list[Completion]:
    return list(proposer(server, **options).propose(dict.fromkeys(range(samples), PROMPT)))


# ---------------------------------------------------------------- requests and completions
def test_request_holds_the_prompt_and_completion_its_metadata(
    chat_server: ChatServer,
) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    chat_server.order([completion("hi", usage=usage, finish_reason="length", model="test-model-2")])
    [answer] = ask(chat_server, temperature=0.5, answer_tokens=99)
    [sent] = chat_server.requests
    assert sent == {
        "model": "test-model",
        "messages": [
            {"role": "system", "content": "You write rewards."},
            {"role": "user", "content": "Run, ant."},
        ],
        "temperature": 0.5,
        "max_tokens": 99,
    }
    assert (answer.index, answer.text, answer.proposer) == (0, "hi", "test-model")
    assert (answer.prompt_tokens, answer.completion_tokens, answer.cost_usd) == (7, 5, None)
    assert answer.served_by == "test-model-2"
    assert answer.truncated
    assert answer.seconds > 0


def test_options_left_to_the_server_are_not_sent(chat_server: ChatServer) -> None:
    ask(chat_server, temperature=None)
    assert set(chat_server.requests[0]) == {"model", "messages"}


def test_neighbouring_messages_of_one_role_are_joined(chat_server: ChatServer) -> None:
    prompt = Prompt(0, (*PROMPT.messages, Message("user", "Its leg drags.")))
    list(proposer(chat_server).propose(dict.fromkeys([0], prompt)))
    assert [message["content"] for message in chat_server.requests[0]["messages"]] == [
        "You write rewards.",
        "Run, ant.\n\nIts leg drags.",
    ]


def test_only_the_given_indices_are_requested(chat_server: ChatServer) -> None:
    asked = proposer(chat_server)
    assert sorted(answer.index for answer in asked.propose(dict.fromkeys([3, 5, 11], PROMPT))) == [
        3,
        5,
        11,
    ]
    assert len(chat_server.requests) == 3
    assert list(asked.propose(dict.fromkeys([], PROMPT))) == []


def test_samples_are_requested_in_parallel(chat_server: ChatServer) -> None:
    chat_server.default = completion("hi", delay_s=0.3)
    started = time.monotonic()
    assert len(ask(chat_server, 8)) == 8
    # One after the other, 8 samples would take 8 * 0.3 s = 2.4 s.
    assert time.monotonic() - started < 1.8
    assert chat_server.max_in_flight == 8


def test_requests_never_exceed_the_concurrency(chat_server: ChatServer) -> None:
    chat_server.default = completion("hi", delay_s=0.05)
    assert len(ask(chat_server, 6, concurrency=2)) == 6
    assert chat_server.max_in_flight == 2


def test_completions_are_yielded_in_order_of_arrival(chat_server: ChatServer) -> None:
    chat_server.order([completion("slow", delay_s=0.6)])
    chat_server.default = completion("fast")
    assert [answer.text for answer in ask(chat_server, 3)] == ["fast", "fast", "slow"]


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        f"```python\n{CODE}```",
        f"Here:\n```\n{CODE}```\nDone.",
        f"~~~py\n{CODE}~~~",
        f"- step\n  ```python\n{textwrap.indent(CODE, '  ')}  ```",
        f"```python\r\n{CODE}".replace("\n", "\r\n"),
        f"```python\n{CODE}",
    ],
)
def test_code_in_every_usual_fence_is_passed_on_unchanged(
    chat_server: ChatServer, text: str
) -> None:
    chat_server.order([completion(text)])
    [answer] = ask(chat_server)
    assert answer.text == text
    assert code_in(answer).strip() == CODE.strip()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("", ""),
        ([{"type": "text", "text": "a"}, {"type": "image"}, "b"], "ab"),
        ({"odd": 1}, ""),
    ],
)
def test_content_other_than_a_string_is_read(
    chat_server: ChatServer, content: object, text: str
) -> None:
    chat_server.order([completion(content)])
    [answer] = ask(chat_server)
    assert answer.text == text
    assert (answer.prompt_tokens, answer.completion_tokens) == (None, None)


# ---------------------------------------------------------------- failures
def test_a_failed_sample_does_not_stop_the_others(chat_server: ChatServer) -> None:
    chat_server.order([error(500)])
    answers = proposer(chat_server).propose(dict.fromkeys(range(4), PROMPT))
    assert len({next(answers).index for _ in range(3)}) == 3
    with pytest.raises(errors.UnavailableError):
        next(answers)


def test_after_a_refused_key_no_further_request_starts(chat_server: ChatServer) -> None:
    chat_server.default = error(401)
    with pytest.raises(errors.AuthenticationError):
        ask(chat_server, 50, concurrency=2)
    assert len(chat_server.requests) < 10


FILTERED, TOO_LONG = (
    error(400, "no", code="content_filter"),
    error(400, "x", code="context_length_exceeded"),
)


@pytest.mark.parametrize("error_from_status", [FILTERED, TOO_LONG])
@pytest.mark.parametrize("place", [0, 3])
def test_a_refused_prompt_is_an_answer_if_others_are_answered(
    chat_server: ChatServer, error_from_status: Reply, place: int
) -> None:
    replies = [completion("hi", usage={"prompt_tokens": 7, "completion_tokens": 5})] * 3
    chat_server.order([*replies[:place], error_from_status, *replies[place:]])
    spending = UsageLimits()
    answers = {a.index: a for a in ask(chat_server, 4, concurrency=1, spending=spending)}
    assert len(chat_server.requests) == 4
    nothing = answers.pop(place)
    assert [answer.text for answer in answers.values()] == ["hi"] * 3
    assert (nothing.proposer, nothing.prompt_tokens, nothing.completion_tokens) == (
        "test-model",
        0,
        0,
    )
    assert nothing.cost_usd == 0.0
    assert spending.reserved.tokens == 3 * 12
    with pytest.raises(
        errors.ExtractionError,
        match=r"^The (content filter of|prompt does not fit into) 'test-model'",
    ):
        code_in(nothing)


@pytest.mark.parametrize(
    ("error_from_status", "kind"),
    [(FILTERED, errors.FilteredError), (TOO_LONG, errors.ContextTooLongError)],
)
def test_an_error_is_raised_if_all_prompts_are_refused(
    chat_server: ChatServer, error_from_status: Reply, kind: type[errors.ProposerError]
) -> None:
    chat_server.default = error_from_status
    with pytest.raises(kind):
        ask(chat_server, 4)
    assert len(chat_server.requests) == 4


def test_the_error_names_a_model_that_the_user_has_to_fix(chat_server: ChatServer) -> None:
    for reply, kind in [(error(401), errors.AuthenticationError), (error(402), errors.QuotaError)]:
        chat_server.order([reply])
        with pytest.raises(kind, match="'test-model'"):
            ask(chat_server)


def test_a_slow_stream_ends_at_the_deadline(chat_server: ChatServer) -> None:
    # One byte at a time, so that no single pause is long.
    chat_server.default = broken(completion("hi"), drip_s=0.1)
    started = time.monotonic()
    with pytest.raises(errors.UnavailableError, match="in time"):
        ask(chat_server, deadline_s=0.5)
    assert time.monotonic() - started < 5.0


# ---------------------------------------------------------------- unsupported options
def picky(refused: str, complaint: str) -> Callable[[dict[str, Any]], Reply]:
    """Return a server that refuses one option, as OpenAI's reasoning models do."""
    return lambda request: error(400, complaint) if refused in request else completion("hi")


TEMPERATURE = "Unsupported value: 'temperature' does not support 0.5 with this model."
LIMIT = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use"
    " 'max_completion_tokens' instead."
)


def test_a_refused_temperature_is_left_out_from_then_on(chat_server: ChatServer) -> None:
    chat_server.default = picky("temperature", TEMPERATURE)
    assert len(ask(chat_server, 4, concurrency=1)) == 4
    assert len(chat_server.requests) == 5
    assert ["temperature" in request for request in chat_server.requests] == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_a_refused_limit_is_sent_under_its_other_name(chat_server: ChatServer) -> None:
    chat_server.default = picky("max_tokens", LIMIT)
    assert len(ask(chat_server, 2, concurrency=1, answer_tokens=9)) == 2
    assert [request.get("max_completion_tokens") for request in chat_server.requests] == [
        None,
        9,
        9,
    ]


def test_parallel_requests_adapt_temperature_and_limit(chat_server: ChatServer) -> None:
    def both(request: dict[str, Any]) -> Reply:
        return (
            picky("temperature", TEMPERATURE)(request)
            if "max_tokens" not in request
            else error(400, LIMIT)
        )

    chat_server.default = both
    assert len(ask(chat_server, 8, answer_tokens=9)) == 8
    assert chat_server.requests[-1].keys() == {"model", "messages", "max_completion_tokens"}


def test_a_request_refused_in_every_form_is_an_error(chat_server: ChatServer) -> None:
    chat_server.default = error(400, "max_tokens is too large, and temperature is too high")
    with pytest.raises(errors.RefusedError, match="too large"):
        ask(chat_server, answer_tokens=9)
    # unchanged, with the other name, without a temperature
    assert len(chat_server.requests) == 3


# ---------------------------------------------------------------- keys and addresses
def test_a_model_on_another_machine_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.CredentialsError, match="set OPENAI_API_KEY"):
        chat_proposer({"gpt": 1.0})
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ä\n1")
    with pytest.raises(errors.CredentialsError, match="characters that no key has"):
        chat_proposer({"gpt": 1.0})


def test_the_key_and_the_address_come_from_the_environment(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " sk-1 \n")
    monkeypatch.setenv("OPENAI_BASE_URL", chat_server.base_url)
    # A local server must not be reached through the proxy.
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert [
        answer.text for answer in chat_proposer({"m": 1.0}).propose(dict.fromkeys([0], PROMPT))
    ] == ["hello"]
    assert chat_server.headers[0]["authorization"] == "Bearer sk-1"


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://x/v1", "http://", "http://[", "http://x:port/v1"]
)
def test_an_invalid_base_url_is_refused(url: str) -> None:
    with pytest.raises(errors.UsageError, match="must look like"):
        chat_proposer({"m": 1.0}, base_url=url)


def listen_to_ctrl_c() -> None:
    """Restore SIGINT, which a shell's background jobs, and tests that run in one, ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_does_not_wait_for_the_model(chat_server: ChatServer) -> None:
    chat_server.default = completion("late", delay_s=60.0)
    program = (
        "import sys\nfrom eureka_agent.proposers.factory import chat_proposer\n"
        "from eureka_agent.records import Message, Prompt\n"
        "chat = chat_proposer({'m': 1.0}, base_url=sys.argv[1])\n"
        "list(chat.propose(dict.fromkeys(range(2), Prompt(0, (Message('user', 'x'),)))))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, chat_server.base_url],
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"MUJOCO_GL": "disable"},
        preexec_fn=listen_to_ctrl_c,
    )
    deadline = time.monotonic() + 60
    while len(chat_server.requests) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in stderr
    assert process.returncode != 0


# ---------------------------------------------------------------- images
def test_image_is_a_part_of_its_message_also_when_the_next_one_is_joined(
    chat_server: ChatServer,
) -> None:
    image = ImageMessage("user", "What is this?", b"\xff\xd8JPG")
    prompt = Prompt(0, (image, Message("user", "Answer again.")), asks_for="the score")
    list(proposer(chat_server).propose({0: prompt}))
    [message] = chat_server.requests[0]["messages"]
    assert message["role"] == "user"
    assert message["content"] == [
        {"type": "text", "text": "What is this?\n\nAnswer again."},
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9hKUEc="}},
    ]


def test_room_for_an_image_is_reserved(chat_server: ChatServer) -> None:
    asks = proposer(chat_server, spending=UsageLimits(max_tokens=10_000), answer_tokens=10)
    asks.spending.max_tokens = 10_000
    with pytest.raises(errors.LimitReachedError):
        list(asks.propose({0: Prompt(0, (ImageMessage("user", "?", b""),))}))
    assert not chat_server.requests

"""Rows of a table of server behaviour, and the check of one row through a backend."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from eureka_agent.errors import ProposerError
from eureka_agent.proposers import openai_backend
from eureka_agent.proposers.events import ProposerEvent, RequestsAdapted
from eureka_agent.proposers.spending import Usage, UsageLimits
from eureka_agent.records import Completion
from tests.support.chat import PROMPT, proposer
from tests.support.openai_server import ChatServer, Reply, completion, raw

RETRIES, ANSWER_TOKENS = 2, 100
SOON_S, FAR_S = 0.7, 30.0
"""Deadlines in seconds: for requests that must miss theirs, and for the others."""
FINE = completion("fine", usage={"prompt_tokens": 7, "completion_tokens": 5})
BODY = str(FINE.body)
TOKENS = 7 + 5
WORST = 27 + 3 * 16 + ANSWER_TOKENS
"""PROMPT has 18 + 9 bytes in two messages."""


def body(**changes: Any) -> Reply:
    """Return a good completion with some fields replaced."""
    return raw(json.dumps(json.loads(BODY) | changes))


def choice(**changes: Any) -> Reply:
    """Return a good completion with some fields of its only choice replaced."""
    return body(choices=[{"index": 0, "message": {"role": "assistant", "content": "x"}} | changes])


@dataclass(frozen=True)
class Row:
    """The server's answer to every request (or to the first, `once`), and the expected result."""

    name: str
    reply: Reply | Callable[[dict[str, Any]], Reply]
    """A reply, or a function of the request's body."""
    ends: str | type[ProposerError] = "fine"
    """The answer's text, or the error."""
    requests: int = 1
    counts: int | None = None
    """Tokens that the run counts; None: those of the answer, or each request's worst case."""
    once: bool = False
    at: str = ""
    """Another base URL than our server's."""
    late: bool = False
    """Whether the deadline ends a request."""
    unlike: dict[str, Any] | None = None
    """Fields that differ with LiteLLM, which follows redirects and reads answers itself."""
    message: str = ""
    tells: str = ""
    """Part of the event about a changed form of requests."""
    asked: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the proposer."""

    @property
    def tokens(self) -> int:
        """The tokens that the run counts."""
        if self.counts is not None:
            return self.counts
        return TOKENS if isinstance(self.ends, str) else self.requests * WORST


def check(chat_server: ChatServer, row: Row, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the server once and compare the result with the row."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("NO_PROXY", "*")  # a proxy would answer for a missing host
    monkeypatch.setattr(openai_backend, "MAX_BYTES", 2 * 2**20)
    if kind == "litellm" and row.unlike is not None:
        row = Row(**{**row.__dict__, **row.unlike, "unlike": None})
    if row.once and isinstance(row.reply, Reply):
        chat_server.order([row.reply])
        chat_server.default = FINE
    else:
        chat_server.default = row.reply
    spending = UsageLimits()
    deadline_s = SOON_S if row.late else FAR_S
    asked = proposer(
        chat_server,
        kind,
        base_url=row.at,
        retries=RETRIES,
        deadline_s=deadline_s,
        spending=spending,
        **{"answer_tokens": ANSWER_TOKENS, **row.asked},
    )
    events: list[ProposerEvent] = []
    asked.emit = events.append
    started = time.monotonic()
    ended: Completion | ProposerError
    try:
        [ended] = asked.propose(dict.fromkeys([0], PROMPT))
    except ProposerError as raised:
        ended = raised
    assert time.monotonic() - started < FAR_S
    if isinstance(row.ends, str):
        assert isinstance(ended, Completion), ended
        assert ended.text == row.ends
    else:
        assert type(ended) is row.ends, ended
        assert row.message in str(ended)
        assert len(str(ended)) < 700
    assert len(chat_server.requests) == row.requests
    assert spending.reserved == Usage(row.tokens)
    changes = [each.what for each in events if isinstance(each, RequestsAdapted)]
    assert len(changes) == bool(row.tells)
    assert row.tells in "".join(changes)

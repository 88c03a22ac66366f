"""Proposers that ask the local test server through either backend, with pauses of 0.01 s."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

import pytest

from eureka_agent.proposers.backend import Backend
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.proposers.model import Model
from eureka_agent.proposers.openai_backend import OpenAIBackend
from eureka_agent.proposers.prices import Price
from eureka_agent.proposers.retries import Retries
from eureka_agent.records import Message, Prompt
from tests.support.openai_server import ChatServer

PROMPT = Prompt(0, (Message("system", "You write rewards."), Message("user", "Run, ant.")))
needs_litellm = pytest.mark.skipif(
    importlib.util.find_spec("litellm") is None, reason="needs the extra litellm"
)
BACKENDS = ["openai", pytest.param("litellm", marks=needs_litellm)]


def backend(
    base_url: str,
    kind: str = "openai",
    deadline_s: float = 30.0,
    extra: Mapping[str, object] | None = None,
) -> Backend:
    """Return the backend `kind` for test-model."""
    if kind == "openai":
        return OpenAIBackend("test-model", base_url=base_url, deadline_s=deadline_s, extra=extra)
    from eureka_agent.proposers.litellm_backend import LiteLLMBackend

    return LiteLLMBackend(
        "openai/test-model", api_base=base_url, deadline_s=deadline_s, extra=extra
    )


def proposer(
    server: ChatServer,
    kind: str = "openai",
    *,
    base_url: str = "",
    retries: int = 0,
    deadline_s: float = 30.0,
    temperature: float | None = 1.0,
    answer_tokens: int | None = None,
    price: Price | None = None,
    stream: bool = False,
    extra: Mapping[str, object] | None = None,
    **options: Any,
) -> ChatProposer:
    """Return a proposer of the model `test-model`.

    `base_url` replaces the server's; `options` are ChatProposer's.
    """
    model = Model(
        "test-model",
        backend(base_url or server.base_url, kind, deadline_s, extra),
        temperature=temperature,
        answer_tokens=answer_tokens,
        price=price,
        stream=stream,
        choices=int(str((extra or {}).get("n", 1))),
    )
    patience = Retries(most=retries, base_s=0.01, patience_s=3.0)
    given: dict[str, Any] = {"retries": patience, "deadline_s": deadline_s} | options
    return ChatProposer([model], **given)

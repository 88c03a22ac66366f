"""Asking a model over the OpenAI protocol, through the SDK.

Import this module only when a model is used: the SDK takes a second to load.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, cast

import openai

from eureka_agent.address import is_local, refuse_user_information
from eureka_agent.errors import BadResponseError, CredentialsError, ProposerError
from eureka_agent.proposers.backend import Chat
from eureka_agent.proposers.refusals import broken_off, excerpt, refusal
from eureka_agent.redaction import redacted, redacted_all

KEY_VARIABLE = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"
MOST_BYTES = 32 * 2**20
"""No chat completion is longer; what is, is not read to its end."""


class OpenAIBackend:
    """Asks one model of one server. The key comes from OPENAI_API_KEY; a server on this machine may go without."""

    def __init__(self, model: str, *, base_url: str | None = None, deadline_s: float = 600.0) -> None:
        """Raise CredentialsError without a key, UsageError for a base URL that is none, or that holds a password."""
        url = base_url or os.environ.get(URL_VARIABLE) or None
        if url is not None:
            refuse_user_information(url, "--base-url" if base_url else URL_VARIABLE)
        local = url is not None and is_local(url)
        self.where = url or "api.openai.com"
        # OpenAI's newer models refuse `max_tokens`; most other servers know nothing else.
        self.limit_name = "max_tokens" if "api.openai.com" not in self.where else "max_completion_tokens"
        self._model = model
        self._client = openai.AsyncOpenAI(
            api_key=_api_key(model, local=local),
            base_url=url,
            timeout=openai.Timeout(deadline_s, connect=min(10.0, deadline_s)),
            max_retries=0,
            # A proxy from the environment cannot reach a server on this machine. A prompt is not sent on to whatever
            # address an answer names.
            http_client=openai.DefaultAsyncHttpxClient(trust_env=not local, follow_redirects=False),
        )

    async def send(self, chat: Chat, options: Mapping[str, object]) -> object:
        """Send a request and return the decoded JSON of the answer, unchecked, but without keys."""
        messages = cast(Any, list(chat))  # the SDK has one type a role
        try:
            ask = self._client.chat.completions.with_streaming_response.create
            async with ask(model=self._model, messages=messages, extra_body=dict(options)) as response:
                return self._decoded(await self._read(response))
        except ProposerError:
            raise
        except openai.APIStatusError as error:
            raise self._refusal(error) from None  # its words may repeat the key, and a traceback shows the cause
        except Exception as error:  # noqa: BLE001 - the SDK lets its transport's errors through, whatever they are
            raise broken_off(error, self.where) from None

    async def _read(self, response: openai.AsyncAPIResponse[Any]) -> bytes:
        body = bytearray()
        async for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise BadResponseError(
                    f"{self.where} did not answer with a chat completion: it sent more than {MOST_BYTES >> 20} MiB, "
                    f"beginning with: {excerpt(bytes(body[:200]))}",
                    may_be_billed=True,
                )
        return bytes(body)

    def _decoded(self, body: bytes) -> object:
        try:
            return redacted_all(json.loads(body))
        except (ValueError, RecursionError):
            return redacted(body.decode("utf-8", "replace"))  # such as a page of HTML, for the error message

    def _refusal(self, error: openai.APIStatusError) -> ProposerError:
        body = error.body
        said = excerpt(body["message"] if isinstance(body, dict) and "message" in body else error)
        words = f"{error.code} {error.type} {error.message}"
        headers = dict(error.response.headers)
        return refusal(
            error.status_code, said, words, model=self._model, where=self.where, key=KEY_VARIABLE, headers=headers
        )


def _api_key(model: str, *, local: bool) -> str:
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key and not local:
        raise CredentialsError(
            f"There is no key for the model {model!r}: set {KEY_VARIABLE} (any word, if the server needs none), "
            f"or name a server on this machine (--base-url http://localhost:8000/v1), or leave --model out and the "
            f"built-in grammar proposes the rewards."
        )
    if not (key.isascii() and key.isprintable()):
        raise CredentialsError(f"{KEY_VARIABLE} holds characters that no key has: set it again.")
    return key or "no-key-needed"

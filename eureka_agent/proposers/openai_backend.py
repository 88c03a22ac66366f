"""Ask a model over the OpenAI protocol, through the SDK.

Import this module only when a model is used: the SDK takes a second to load.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, cast

import openai

from eureka_agent.errors import BadResponseError, CredentialsError, ProposerError
from eureka_agent.proposers.backend import Chat
from eureka_agent.proposers.network import (
    URL_VARIABLE,
    Address,
    address,
    certificates,
    check_network_settings,
    refuse_old_variable,
)
from eureka_agent.proposers.prices import ModelInfo, look_up_price
from eureka_agent.proposers.refusals import connection_error, cut_stream, error_from_status, excerpt
from eureka_agent.proposers.streams import is_stream, read_stream
from eureka_agent.utils.addresses import refuse_user_information
from eureka_agent.utils.redaction import redacted, redacted_all

KEY_VARIABLE = "OPENAI_API_KEY"
OPENAI_URL = "https://api.openai.com/v1"
MAX_BYTES = 32 * 2**20
"""No chat completion is longer; longer bodies are not read to their end."""


class OpenAIBackend:
    """Asks one model of one server. The key is in OPENAI_API_KEY; local servers need none."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        deadline_s: float = 600.0,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """`extra`: further fields of each request's body.

        Raises CredentialsError without a key; UsageError for an invalid base URL or one that holds
        a password, and for unusable network settings.
        """
        named = base_url or os.environ.get(URL_VARIABLE) or None
        if named is None:
            refuse_old_variable()
        else:
            refuse_user_information(named, "--base-url" if base_url else URL_VARIABLE)
        server = address(named or OPENAI_URL)
        # Messages leave the query out: with some servers it holds the key.
        self.where = server.base if named else "api.openai.com"
        # OpenAI's newer models refuse `max_tokens`; most other servers support nothing else.
        self.limit_name = (
            "max_tokens" if "api.openai.com" not in self.where else "max_completion_tokens"
        )
        self._model = model
        self._extra = dict(extra or {})
        key = _api_key(model, local=server.local)
        if not server.local:
            check_network_settings()
        self._client = openai.AsyncOpenAI(
            api_key=key,
            base_url=server.base,
            default_query=server.query,
            default_headers={"api-key": key} if server.azure else None,
            timeout=openai.Timeout(deadline_s, connect=min(10.0, deadline_s)),
            max_retries=0,
            http_client=_http_client(server),
        )

    def model_info(self) -> ModelInfo:
        """Return what is known about the model; nothing if the server is not OpenAI's own."""
        if "api.openai.com" not in self.where:
            return ModelInfo()
        return ModelInfo(look_up_price(self._model, "openai"))

    async def send(self, chat: Chat, options: Mapping[str, object]) -> object:
        """Send a request and return the decoded JSON of the answer, unchecked, but without keys."""
        messages = cast(Any, list(chat))  # the SDK has one type a role
        try:
            ask = self._client.chat.completions.with_streaming_response.create
            async with ask(
                model=self._model, messages=messages, extra_body={**self._extra, **options}
            ) as response:
                return self._decoded(await self._read(response))
        except ProposerError:
            raise
        except openai.APIStatusError as error:
            # The cause's text may repeat the key, and a traceback would show it.
            raise self._error_from_status(error) from None
        except Exception as error:  # noqa: BLE001 - the SDK passes all transport errors on
            raise connection_error(error, self.where) from None

    async def _read(self, response: openai.AsyncAPIResponse[Any]) -> bytes:
        body = bytearray()
        async for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise BadResponseError(
                    f"{self.where} did not answer with a chat completion: it sent more than"
                    f" {MAX_BYTES >> 20} MiB, beginning with: {excerpt(bytes(body[:200]))}",
                    may_be_billed=True,
                )
        return bytes(body)

    def _decoded(self, body: bytes) -> object:
        """Return a body's JSON; some servers stream their answer whether asked to or not."""
        try:
            return redacted_all(json.loads(body))
        except (ValueError, RecursionError):
            text = body.decode("utf-8", "replace")
        if not is_stream(text):
            return redacted(text)  # such as an HTML page, which the error message quotes
        stream = read_stream(text)
        if not stream.complete:
            raise cut_stream(self.where)
        return redacted_all(stream.body())

    def _error_from_status(self, error: openai.APIStatusError) -> ProposerError:
        body = error.body
        quote = excerpt(body["message"] if isinstance(body, dict) and "message" in body else error)
        words = f"{error.code} {error.type} {error.message}"
        headers = dict(error.response.headers)
        return error_from_status(
            error.status_code,
            quote,
            words,
            model=self._model,
            where=self.where,
            key=KEY_VARIABLE,
            headers=headers,
        )


def _http_client(server: Address) -> Any:
    """Return the SDK's client; for remote servers it uses the environment's proxies.

    A proxy cannot reach a server on this machine. Redirects are not followed: a prompt must not be
    sent to an address that an answer names.
    """
    verify = certificates() if server.local else True
    return openai.DefaultAsyncHttpxClient(
        trust_env=not server.local, follow_redirects=False, verify=verify
    )


def _api_key(model: str, *, local: bool) -> str:
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key and not local:
        raise CredentialsError(
            f"There is no key for the model {model!r}: set {KEY_VARIABLE} (any word, if the server"
            " needs none), or name a server on this machine (--base-url http://localhost:8000/v1),"
            " or leave --model out and the built-in grammar proposes the rewards."
        )
    if not (key.isascii() and key.isprintable()):
        raise CredentialsError(f"{KEY_VARIABLE} holds characters that no key has: set it again.")
    return key or "no-key-needed"

"""Ask a model of any provider that LiteLLM supports: `anthropic/…`, `gemini/…`, `ollama/…`.

litellm is an extra, takes seconds to import, and would download a price list while it does; it is
therefore imported when its first model is named.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any

from eureka_agent.errors import BadResponseError, CredentialsError, ProposerError, UsageError
from eureka_agent.proposers.backend import Chat
from eureka_agent.proposers.network import (
    OLD_URL_VARIABLE,
    URL_VARIABLE,
    address,
    check_network_settings,
)
from eureka_agent.proposers.prices import ModelInfo, look_up_price
from eureka_agent.proposers.refusals import (
    connection_error,
    cut_stream,
    error_from_status,
    exception_chain,
    excerpt,
    status_from_code,
)
from eureka_agent.proposers.streams import Stream
from eureka_agent.utils.redaction import redacted_all


class LiteLLMBackend:
    """Asks one model, named `provider/model`.

    The key comes from the environment variable that the provider's documentation names.
    """

    limit_name = "max_tokens"
    """LiteLLM translates it to the provider's name."""

    def __init__(
        self,
        model: str,
        *,
        api_base: str | None = None,
        deadline_s: float = 600.0,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """`extra`: further fields of each request's body.

        Raises UsageError without litellm, for an unknown provider, for fields that LiteLLM would
        take for its own settings, and for unusable network settings; CredentialsError without a
        key.
        """
        check_network_settings()
        self._litellm = _litellm()
        if api_base is not None and address(api_base).query:
            raise UsageError(
                f"LiteLLM does not send the query of an address ({api_base}) with its requests:"
                " give the address with --base-url and the model by the server's own name."
            )
        self._model = model
        self._api_base = api_base
        self._deadline_s = deadline_s
        try:
            found = self._litellm.get_llm_provider(model=model, api_base=api_base)
        except Exception as error:  # LiteLLM's errors have no common base
            raise UsageError(
                f"LiteLLM knows no provider {model.partition('/')[0]!r}: see"
                f" https://docs.litellm.ai/docs/providers, or name the server of {model!r} with"
                " --base-url."
            ) from error
        self._name_at_provider = str(found[0])
        self._provider = str(found[1])
        named = [
            os.environ.get(name)
            for name in (URL_VARIABLE, OLD_URL_VARIABLE)
            if self._provider == "openai"
        ]
        self.where = next(filter(None, (api_base, *named)), self._provider)  # LiteLLM reads both
        self._extra = self._extra_options(extra or {})
        checked = self._litellm.validate_environment(model=model)
        keys = [
            str(name) for name in checked.get("missing_keys", ()) if str(name).endswith("_API_KEY")
        ]
        self._key = " or ".join(keys) or f"the key of {self._provider}"
        if keys and not checked.get("keys_in_environment") and api_base is None:
            raise CredentialsError(
                f"There is no key for the model {model!r}: set {self._key}, or leave the model out"
                " and the built-in grammar proposes the rewards."
            )

    def model_info(self) -> ModelInfo:
        """Return what is known about the model; no price if its provider is not asked itself."""
        price = None
        if self.where == self._provider:
            price = look_up_price(self._name_at_provider, self._provider)
        return ModelInfo(price, self._max_answer_tokens())

    def _max_answer_tokens(self) -> int | None:
        """Return the model's longest answer in LiteLLM's list; the price list does not have it."""
        for name in (self._model, self._name_at_provider):
            entry = self._litellm.model_cost.get(name, {})
            longest = entry.get("max_output_tokens")
            if entry.get("litellm_provider") == self._provider and isinstance(longest, int):
                return longest if longest > 0 else None
        return None

    async def send(self, chat: Chat, options: Mapping[str, object]) -> object:
        """Send a request and return LiteLLM's answer, in the form of the OpenAI protocol."""
        try:
            response = await self._litellm.acompletion(
                model=self._model,
                messages=[dict(message) for message in chat],
                api_base=self._api_base,
                timeout=self._deadline_s,
                num_retries=0,
                max_retries=0,
                **self._extra,
                **options,
            )
            if "stream" in options:
                return redacted_all(await self._joined(response))
            return redacted_all(response.model_dump())
        except ProposerError:
            raise
        except Exception as error:  # noqa: BLE001 - no common base; some are the transport's
            # The cause's text may repeat the key, and a traceback would show it.
            raise self._translated(error) from None

    async def _joined(self, response: Any) -> object:
        """Return a streamed answer as one body, without the usage that LiteLLM invents."""
        stream = Stream()
        async for chunk in response:
            stream.take(chunk.model_dump())
        if not stream.complete:
            raise cut_stream(self.where)
        counted = any(getattr(chunk, "usage", None) for chunk in getattr(response, "chunks", ()))
        body = stream.body()
        return body if counted else {**body, "usage": None}

    def _extra_options(self, extra: Mapping[str, object]) -> dict[str, Any]:
        """Return the further fields as LiteLLM expects them.

        OpenAI-compatible providers take them in `extra_body`, others next to LiteLLM's own options.
        """
        if not extra:
            return {}
        compatible = ("openai", "azure", *self._litellm.openai_compatible_providers)
        if self._provider in compatible:
            return {"extra_body": dict(extra)}
        own = {
            *self._litellm.types.utils.all_litellm_params,
            "timeout",
            "extra_headers",
            "extra_body",
            "extra_query",
        }
        if taken := sorted(own & extra.keys()):
            raise UsageError(
                f"--extra-body names {', '.join(taken)}, which LiteLLM takes for settings of its"
                " own: leave it out."
            )
        return dict(extra)

    def _translated(self, error: Exception) -> ProposerError:
        """Return our error for one of LiteLLM's, by what was really sent.

        LiteLLM's own statuses are not reliable where money is concerned: it reports 500 for an
        unreadable answer with status 200, which was paid for, and for a broken connection.
        """
        seen = list(exception_chain(error))
        if any(type(cause).__name__ == "MidStreamFallbackError" for cause in seen):
            return cut_stream(self.where)
        response = next((r for r in map(_response, seen) if r is not None), None)
        if response is None and (
            any(map(_is_transport_error, seen)) or not hasattr(error, "status_code")
        ):
            return connection_error(error, self.where)
        code = response.status_code if response is not None else getattr(error, "status_code", None)
        # An error that came with status 200 has the code of its body.
        status = code if isinstance(code, int) else status_from_code(code) or 200
        if response is None and status in (500, 502, 504):
            hint = (
                ", and --extra-body '{\"stream\": true}' may help, since the server streams"
                if "Received: 'data:" in str(error)
                else ""
            )
            return BadResponseError(
                f"{self.where} did not answer with a chat completion{hint}: LiteLLM says"
                f" {excerpt(error)}",
                may_be_billed=True,
            )
        translated = error_from_status(
            status,
            excerpt(getattr(error, "message", None) or error),
            " ".join(
                f"{type(cause).__name__} {cause} {getattr(cause, 'body', '')}" for cause in seen
            ),
            model=self._model,
            where=self.where,
            key=self._key,
            headers=dict(response.headers) if response is not None else None,
        )
        translated.may_be_billed |= response is None
        return translated


def _response(cause: BaseException) -> Any:
    """Return the HTTP response of an error of the SDK or of httpx; None for other errors."""
    for kind in type(cause).__mro__:
        sdk = kind.__name__ == "APIStatusError" and type(cause).__module__.startswith("openai")
        if sdk or kind.__name__ == "HTTPStatusError":
            return getattr(cause, "response", None)
    return None


def _is_transport_error(cause: BaseException) -> bool:
    """Whether an error is the transport's; LiteLLM calls every unknown error APIConnectionError."""
    if type(cause).__module__.startswith("litellm"):
        return False
    names = {kind.__name__ for kind in type(cause).__mro__}
    return bool(
        names & {"APIConnectionError", "RequestError", "ClientError", "OSError", "TimeoutError"}
    )


def _litellm() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # read when it is imported
    try:
        litellm: Any = importlib.import_module("litellm")
    except ImportError as error:
        raise UsageError(
            "A model named provider/model is asked through LiteLLM, which is not installed: "
            "pip install 'eureka-agent[litellm]', or name the model's server with --base-url."
        ) from error
    litellm.suppress_debug_info = True  # advice for LiteLLM's developers
    return litellm

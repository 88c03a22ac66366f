"""Asking a model of any provider that LiteLLM knows: `anthropic/…`, `gemini/…`, `ollama/…`.

litellm is an extra, takes seconds to import, and would fetch a price list while it does; so it is imported when the
first of its models is named.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any

from eureka_agent.errors import CredentialsError, ProposerError, UsageError
from eureka_agent.proposers.backend import Chat
from eureka_agent.proposers.refusals import broken_off, excerpt, refusal


class LiteLLMBackend:
    """Asks one model, named `provider/model`; the key comes from the variable that the provider's documents name."""

    limit_name = "max_tokens"
    """LiteLLM translates it to what the provider calls it."""

    def __init__(self, model: str, *, api_base: str | None = None, deadline_s: float = 600.0) -> None:
        """Raise UsageError without litellm or for an unknown provider, CredentialsError without a key."""
        self._litellm = _litellm()
        self._model, self._api_base, self._deadline_s = model, api_base, deadline_s
        try:
            _, provider, _, _ = self._litellm.get_llm_provider(model=model, api_base=api_base)
        except Exception as error:
            raise UsageError(
                f"LiteLLM knows no provider {model.partition('/')[0]!r}: see https://docs.litellm.ai/docs/providers, "
                f"or name the server of {model!r} with --base-url."
            ) from error
        self.where = api_base or str(provider)
        checked = self._litellm.validate_environment(model=model)
        keys = [str(name) for name in checked.get("missing_keys", ()) if str(name).endswith("_API_KEY")]
        self._key = " or ".join(keys) or f"the key of {provider}"
        if keys and not checked.get("keys_in_environment") and api_base is None:
            raise CredentialsError(
                f"There is no key for the model {model!r}: set {self._key}, or leave the model out and the built-in "
                "grammar proposes the rewards."
            )

    async def send(self, chat: Chat, options: Mapping[str, object]) -> object:
        """Send a request and return what LiteLLM made of the answer, in the form of the OpenAI protocol."""
        try:
            response = await self._litellm.acompletion(
                model=self._model,
                messages=[dict(message) for message in chat],
                api_base=self._api_base,
                timeout=self._deadline_s,
                num_retries=0,
                max_retries=0,
                **options,
            )
            return response.model_dump()
        except Exception as error:  # its errors have no base of their own, and some are the transport's
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> ProposerError:
        status = getattr(error, "status_code", None)
        broken = broken_off(error, self.where)
        if not isinstance(status, int) or _without_answer(error):
            return broken
        said = excerpt(getattr(error, "message", None) or error)
        headers = getattr(error, "litellm_response_headers", None) or getattr(
            getattr(error, "response", None), "headers", {}
        )
        words = f"{type(error).__name__} {error}"
        return refusal(
            status, said, words, model=self._model, where=self.where, key=self._key, headers=dict(headers or {})
        )


def _without_answer(error: Exception) -> bool:
    """Whether an error of LiteLLM, which gives each one a status, does not come from a status that was sent."""
    return any(kind.__name__ in ("APIConnectionError", "APITimeoutError") for kind in type(error).__mro__)


def _litellm() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # read when it is imported
    try:
        litellm: Any = importlib.import_module("litellm")
    except ImportError as error:
        raise UsageError(
            "A model named provider/model is asked through LiteLLM, which is not installed: "
            "pip install 'eureka-agent[litellm]', or name the model's server with --base-url."
        ) from error
    litellm.suppress_debug_info = True  # it prints advice for its own developers
    return litellm

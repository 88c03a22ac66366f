"""What went wrong at an OpenAI-compatible server, as our errors: each message says what to do."""

from __future__ import annotations

import openai

from eureka_agent.errors import (
    AuthenticationError,
    BadResponseError,
    ContextTooLongError,
    ProposerError,
    QuotaError,
    RateLimitedError,
    UnavailableError,
    UnknownModelError,
)

KEY_VARIABLE = "OPENAI_API_KEY"
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "insufficient_balance")
_TOO_LONG = ("context_length", "context length", "context size", "context window", "prompt is too long")


def translated(error: openai.OpenAIError, model: str, where: str) -> ProposerError:
    """Return our error for one of the SDK's, with a message that says what to do."""
    body = getattr(error, "body", None)
    said = excerpt(body["message"] if isinstance(body, dict) and "message" in body else error)
    if isinstance(error, openai.APIStatusError):
        return _translated_status(error, said, model, where)
    if isinstance(error, openai.APITimeoutError):
        return UnavailableError(f"{where} did not answer in time: try again, or give it longer.")
    if isinstance(error, openai.APIConnectionError):
        cause = excerpt(error.__cause__ or error)
        return UnavailableError(f"{where} cannot be reached ({cause}): check the network and --base-url.")
    return BadResponseError(no_completion(where, said))


def _translated_status(error: openai.APIStatusError, said: str, model: str, where: str) -> ProposerError:
    status = error.status_code
    words = f"{error.code} {error.type} {error.message}".lower()
    if status == 402 or error.code in _NO_CREDIT or error.type in _NO_CREDIT:
        return QuotaError(f"The account at {where} has no credit left: add some, or choose another model ({said}).")
    if status in (401, 403):
        return AuthenticationError(f"{where} refused the key: check {KEY_VARIABLE} and what it may use ({said}).")
    if error.code == "model_not_found" or (status == 404 and "model" in words):
        return UnknownModelError(f"{where} has no model {model!r}: check --model ({said}).")
    if status == 413 or any(hint in words for hint in _TOO_LONG):
        return ContextTooLongError(
            f"The prompt does not fit into {model!r}: choose a model with a longer context, "
            f"or load it with one ({said})."
        )
    if status == 404:
        return BadResponseError(f"{where} has no chat completions: does --base-url end as the server wants (/v1)?")
    if status == 429:
        return RateLimitedError(
            f"{where} asks for fewer requests than we make: wait, or lower the number of samples ({said})."
        )
    if status >= 500 or status in (408, 409):
        return UnavailableError(f"{where} keeps failing with status {status}: try again later ({said}).")
    return BadResponseError(f"{where} refused the request with status {status}: {said}")


def no_completion(where: str, got: str) -> str:
    """Return the message for an answer that is no chat completion."""
    return f"{where} did not answer with a chat completion: check --base-url. It sent: {got}"


def excerpt(value: object) -> str:
    """Return one short line, for error messages."""
    text = " ".join(str(value).split())
    return text if len(text) <= 200 else text[:200] + "…"

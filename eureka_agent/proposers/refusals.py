"""Our errors for a server's failures; each message says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping

from eureka_agent.errors import (
    AuthenticationError,
    BadResponseError,
    ContextTooLongError,
    FilteredError,
    ProposerError,
    QuotaError,
    RateLimitedError,
    RefusedError,
    UnavailableError,
    UnknownModelError,
)
from eureka_agent.proposers.network import network_hint, proxy_variable
from eureka_agent.proposers.retries import retry_after_s
from eureka_agent.text import one_line
from eureka_agent.utils.redaction import redacted

_MAX_EXCERPT = 200
_NO_CREDIT = (
    "insufficient_quota",
    "billing_hard_limit_reached",
    "insufficient_balance",
    "credit balance is too low",
)
_TOO_LONG = (
    "context_length",
    "context length",
    "context size",
    "context window",
    "prompt is too long",
    "contextwindowexceeded",
)
_NO_MODEL = (
    "model_not_found",
    "invalid_model",
    "invalid model",
    "unknown_model",
    "unknown model",
    "model not exist",
    "not a valid model",
    "no such model",
)
_FILTERED = (
    "content_filter",
    "content_policy",
    "contentpolicyviolation",
    "content management policy",
    "usage policy",
    "was flagged",
    "data_inspection_failed",
    "content exists risk",
)
_NOT_SENT = (
    "ConnectError",
    "ConnectTimeout",
    "ProxyError",
    "PoolTimeout",
    "ClientConnectorError",
    "ConnectionRefusedError",
)
_GARBLED = (
    "DecodingError",
    "JSONDecodeError",
    "ContentEncodingError",
    "UnicodeDecodeError",
    "RecursionError",
)
_LATE = ("APITimeoutError", "ReadTimeout", "TimeoutError", "Timeout")

_GATEWAY_TIMEOUTS = (408, 504)
"""Statuses of a gateway that stopped waiting for a model that was at work."""
_STATUSES = {
    "invalid_api_key": 401,
    "authentication_error": 401,
    "unauthorized": 401,
    "unauthenticated": 401,
    "permission_error": 403,
    "permission_denied": 403,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "too_many_requests": 429,
    "resource_exhausted": 429,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "service_unavailable": 503,
    "unavailable": 503,
    "overloaded": 529,
    "overloaded_error": 529,
    "timeout": 504,
    "deadline_exceeded": 504,
}
"""HTTP statuses for the names that OpenAI, Anthropic, Google and gateways write into bodies."""


def error_from_status(
    status: int,
    quote: str,
    words: str,
    *,
    model: str,
    where: str,
    key: str = "the key",
    headers: Mapping[str, str] | None = None,
) -> ProposerError:
    """Return the error for an HTTP `status` from 300 on, or for an error that came with 200.

    `quote` is shown; `words` is everything that was sent and decides the class; `key` names the key
    to check.
    """
    error = _error_from_status(
        status, quote, words.lower(), model, where, key, retry_after_s(headers or {})
    )
    error.words = redacted(words)
    return error


def _error_from_status(
    status: int, quote: str, words: str, model: str, where: str, key: str, wait_s: float | None
) -> ProposerError:
    if status == 402 or any(hint in words for hint in _NO_CREDIT):
        return QuotaError(
            f"The account at {where} has no credit left for {model!r}: add some, or choose another"
            f" model ({quote})."
        )
    if status in (200, 400, 403, 422) and any(hint in words for hint in _FILTERED):
        return FilteredError(
            f"The content filter of {model!r} at {where} refused the prompt ({quote})."
        )
    if status == 407:
        name = proxy_variable(where) or "HTTPS_PROXY"
        return RefusedError(
            f"The proxy on the way to {where} refused the request: check {name} ({quote})."
        )
    if status in (401, 403):
        return AuthenticationError(
            f"{where} refused the key for {model!r}: check {key} and what it may use ({quote})."
        )
    if (status < 500 and any(hint in words for hint in _NO_MODEL)) or (
        status == 404 and "model" in words
    ):
        return UnknownModelError(f"{where} has no model {model!r}: check --model ({quote}).")
    if status == 413 or any(hint in words for hint in _TOO_LONG):
        return ContextTooLongError(
            f"The prompt does not fit into {model!r}: choose a model with a longer context, "
            f"or load it with one ({quote})."
        )
    if status == 404 or 300 <= status < 400:
        return BadResponseError(
            f"{where} has no chat completions (status {status}): does --base-url end as the server"
            " wants (/v1)?"
        )
    if status == 429:
        return RateLimitedError(
            f"{where} limits the rate of requests: wait, or lower the number of samples ({quote}).",
            retry_after_s=wait_s,
        )
    if status >= 500 or status in (408, 409):
        return UnavailableError(
            f"{where} keeps failing with status {status}: try again later ({quote}).",
            retry_after_s=wait_s,
            may_be_billed=status in _GATEWAY_TIMEOUTS,
        )
    if status < 300:
        return BadResponseError(f"{where} answered with an error: {quote}", may_be_billed=True)
    return RefusedError(f"{where} refused the request with status {status}: {quote}")


def status_from_code(name: object) -> int | None:
    """Return the HTTP status for an error's code, if it is known."""
    if not isinstance(name, int | str):
        return None
    known = int(name) if str(name).isdecimal() else _STATUSES.get(str(name).lower(), 0)
    return known if 400 <= known < 600 else None


def connection_error(error: BaseException, where: str) -> ProposerError:
    """Return the error for a request that ended without a complete answer, for any transport.

    The classes of httpx, httpx2 and aiohttp share no base, so their names decide.
    """
    names = [kind.__name__ for cause in exception_chain(error) for kind in type(cause).__mro__]
    quote = excerpt(list(exception_chain(error))[-1] or error)
    cut = any(
        getattr(cause, "errno", None) in (errno.ECONNRESET, errno.EPIPE)
        for cause in exception_chain(error)
    )
    if not cut and any(name in _NOT_SENT for name in names):
        hint = network_hint(exception_chain(error), where) or "check the network and --base-url."
        return UnavailableError(f"{where} cannot be reached ({quote}): {hint}")
    if any(name in _GARBLED for name in names):
        return BadResponseError(
            f"{where} did not answer with a chat completion: check --base-url. It cannot be read:"
            f" {quote}",
            may_be_billed=True,
        )
    if any(name in _LATE for name in names):
        return timeout_error(where)
    return UnavailableError(
        f"{where} broke the connection off ({quote}): try again later.", may_be_billed=True
    )


def timeout_error(where: str) -> UnavailableError:
    """Return the error for an answer that had not arrived at the deadline."""
    return UnavailableError(
        f"{where} did not answer in time: allow more time (--request-timeout-s), or send fewer"
        " requests at a time if it answers one after the other (--concurrency).",
        may_be_billed=True,
        late=True,
    )


def cut_stream(where: str) -> UnavailableError:
    """Return the error for a streamed answer without its end."""
    return UnavailableError(
        f"{where} broke the connection off in the middle of an answer: try again later.",
        may_be_billed=True,
    )


def excerpt(value: object) -> str:
    """Return one short line for error messages, without keys and passwords."""
    # Redact before cutting: half a key would not be recognised.
    return one_line(redacted(str(value)), _MAX_EXCERPT)


def exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, down to the first."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__

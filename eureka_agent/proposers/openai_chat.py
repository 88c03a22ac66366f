"""Rewards from a language model behind any OpenAI-compatible URL.

Import this module only when a model is used: the SDK takes a second to load.
"""

from __future__ import annotations

import ipaddress
import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from eureka_agent.errors import (
    AuthenticationError,
    BadResponseError,
    ContextTooLongError,
    CredentialsError,
    ProposerError,
    QuotaError,
    UnknownModelError,
    UsageError,
)
from eureka_agent.proposers.openai_errors import KEY_VARIABLE, excerpt, no_completion, translated
from eureka_agent.records import Completion, Message, Prompt

_URL_VARIABLE = "OPENAI_BASE_URL"
_HOPELESS = (AuthenticationError, UnknownModelError, QuotaError, ContextTooLongError)


class OpenAIProposer:
    """Asks a model for each sample with a request of its own, several at a time.

    The key comes from OPENAI_API_KEY; a server on this machine may go without. None as temperature or as limit of
    the answer's length leaves the choice to the server. Failed requests are repeated `max_retries` times with
    growing pauses, and as long as the server's Retry-After says (two minutes at most).
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        temperature: float | None = 1.0,
        max_tokens: int | None = None,
        concurrency: int = 8,
        timeout_s: float = 300.0,
        max_retries: int = 4,
    ) -> None:
        """Raise CredentialsError without a key, UsageError for a base URL that is none."""
        url = base_url or os.environ.get(_URL_VARIABLE) or None
        local = url is not None and _is_local(url)
        self.name = model
        self.temperature = temperature
        self.max_tokens = max_tokens
        self.concurrency = concurrency
        self._where = url or "api.openai.com"
        self._client = openai.OpenAI(
            api_key=_api_key(model, local=local),
            base_url=url,
            timeout=openai.Timeout(timeout_s, connect=10.0),
            max_retries=max_retries,
            # A proxy from the environment cannot reach a server on this machine.
            http_client=openai.DefaultHttpxClient(trust_env=not local),
        )
        # OpenAI's newer models refuse `max_tokens`; most other servers know nothing else.
        self._limit_name = "max_tokens" if url and "api.openai.com" not in url else "max_completion_tokens"

    def propose(self, prompt: Prompt, indices: Sequence[int]) -> Iterator[Completion]:
        """Yield the completions as they arrive.

        A request that fails does not stop the others, unless it would fail for all of them alike (key, model,
        credit, prompt length): then no further one starts. The first error is raised after the last completion.
        """
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for index in indices:
            waiting.put(index)
        answers: queue.SimpleQueue[Completion | Exception | None] = queue.SimpleQueue()
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set() and not waiting.empty():
                try:
                    answers.put(self._ask(prompt.messages, waiting.get_nowait()))
                except queue.Empty:
                    break
                except Exception as error:  # noqa: BLE001  the caller's thread raises it
                    answers.put(error)
            answers.put(None)

        running = min(self.concurrency, len(indices))
        for _ in range(running):
            # A daemon: Ctrl-C must not wait for a model that is still writing.
            threading.Thread(target=work, name=f"ask {self.name}", daemon=True).start()
        errors: list[Exception] = []
        try:
            while running:
                answer = answers.get()
                if answer is None:
                    running -= 1
                elif isinstance(answer, Completion):
                    yield answer
                else:
                    errors.append(answer)
                    if isinstance(answer, _HOPELESS) or not isinstance(answer, ProposerError):
                        stop.set()
        finally:
            stop.set()
        if errors:
            raise errors[0]

    def _ask(self, messages: Sequence[Message], index: int) -> Completion:
        started = time.monotonic()
        options = {"temperature": self.temperature, self._limit_name: self.max_tokens}
        given = {name: value for name, value in options.items() if value is not None}
        chat = [_to_param(message) for message in _alternating(messages)]
        try:
            answer = self._client.chat.completions.create(model=self.name, messages=chat, extra_body=given)
        except openai.OpenAIError as error:
            raise translated(error, self.name, self._where) from error
        except ValueError as error:  # the body says that it is JSON and is none
            raise BadResponseError(no_completion(self._where, str(error))) from error
        return self._completion(answer, index, time.monotonic() - started)

    def _completion(self, answer: object, index: int, seconds: float) -> Completion:
        # The SDK checks nothing: a page of HTML arrives as str, and missing fields are missing attributes.
        choices = getattr(answer, "choices", None)
        if not isinstance(answer, ChatCompletion) or not isinstance(choices, list) or not choices:
            raise BadResponseError(no_completion(self._where, excerpt(answer)))
        message = getattr(choices[0], "message", None)
        if message is None:
            raise BadResponseError(no_completion(self._where, "a choice without a message"))
        usage = getattr(answer, "usage", None)
        model = getattr(answer, "model", None)
        return Completion(
            index=index,
            text=_text(getattr(message, "content", None)),
            proposer=model if isinstance(model, str) and model else self.name,
            prompt_tokens=_count(getattr(usage, "prompt_tokens", None)),
            completion_tokens=_count(getattr(usage, "completion_tokens", None)),
            truncated=getattr(choices[0], "finish_reason", None) == "length",
            seconds=seconds,
        )


def _is_local(url: str) -> bool:
    """Whether `url` is on this machine; raise UsageError when it is no URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError(f"The base URL must look like http://localhost:8000/v1, got {url!r}.")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


def _alternating(messages: Sequence[Message]) -> list[Message]:
    """Join neighbours of one role: the chat templates of many open models refuse two in a row."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role:
            message = Message(message.role, f"{joined.pop().content.rstrip()}\n\n{message.content}")
        joined.append(message)
    return joined


def _to_param(message: Message) -> ChatCompletionMessageParam:
    if message.role == "system":
        return {"role": "system", "content": message.content}
    if message.role == "assistant":
        return {"role": "assistant", "content": message.content}
    return {"role": "user", "content": message.content}


def _text(content: object) -> str:
    """Return a message's text: None is no text, a list holds parts, of which only text matters."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("text") if isinstance(part, dict) else part for part in content)
    return "".join(part for part in parts if isinstance(part, str))


def _count(tokens: object) -> int | None:
    return tokens if isinstance(tokens, int) else None

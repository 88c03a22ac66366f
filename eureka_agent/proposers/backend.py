"""The interface of a way to ask a model, and the event loop of all requests."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Mapping, Sequence
from typing import Protocol

from eureka_agent.utils.forks import begin_work

ChatMessage = Mapping[str, object]
"""A message in the form of the chat completions protocol: `role` and `content`."""
Chat = Sequence[ChatMessage]


class Backend(Protocol):
    """Sends requests to one model, each exactly once; the caller retries and sets limits."""

    where: str
    """The server's address or name, for error messages."""
    limit_name: str
    """The server's name for the limit of an answer: `max_tokens` or `max_completion_tokens`."""

    async def send(self, chat: Chat, options: Mapping[str, object]) -> object:
        """Send one request and return the decoded JSON of the answer.

        Args:
            chat: the messages of the prompt.
            options: further fields of the request, such as `temperature` and `limit_name`.

        Returns:
            The body as it came; `answers.read_answer` validates it.

        Raises:
            ProposerError: if there is no answer; its class says whether to retry.
        """
        ...


def event_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that requests run in, on a thread of its own.

    A request in a loop can be cancelled at its deadline at any point, even while bytes still
    arrive; one in a thread cannot. There is only one loop, because clients keep connections that
    belong to it. The thread is a daemon: Ctrl-C must not wait for a model that is still writing.

    Raises UsageError in a forked process, which lacks the thread.
    """
    begin_work()
    return _running_loop()


@functools.cache
def _running_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="ask models", daemon=True).start()
    return loop

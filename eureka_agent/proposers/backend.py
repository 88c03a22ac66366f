"""The contract of a way to ask a model, and the event loop that all of them run in."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Mapping, Sequence
from typing import Protocol

from eureka_agent.utils.forks import begin_work

Chat = Sequence[Mapping[str, str]]
"""Messages as the chat completions protocol has them: `role` and `content`."""


class Backend(Protocol):
    """Sends requests for one model, each exactly once: retries, deadlines and money are the
    caller's."""

    where: str
    """Whom it asks, for error messages."""
    limit_name: str
    """What it calls the limit of an answer's tokens: `max_tokens` or `max_completion_tokens`."""

    async def send(self, chat: Chat, options: Mapping[str, object]) -> object:
        """Send a request and return the decoded JSON of the answer, unchecked. Raises
        ProposerError."""
        ...


def event_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that requests run in, in a thread of its own. Raises UsageError in a fork,
    which lacks it.

    A request in a loop can be cancelled at its deadline wherever it stands, even if bytes still
    drip in; one in a thread cannot. There is one loop for good, since clients keep connections that
    belong to it. The thread is a
    daemon: Ctrl-C must not wait for a model that is still writing.
    """
    begin_work()
    return _running_loop()


@functools.cache
def _running_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="ask models", daemon=True).start()
    return loop

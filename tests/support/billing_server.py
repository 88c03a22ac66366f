"""A chat server that counts what it charges and sometimes fails."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

from eureka_agent.proposers.prices import Price
from tests.support.openai_server import Reply, broken, completion, error, reset


class BillingServer:
    """Counts the charges of each request, also if its answer is lost; `write` gives the text."""

    def __init__(
        self, rng: random.Random, price: Price, write: Callable[[], str] = lambda: "x" * 200
    ) -> None:
        self.usd = 0.0
        self._rng = rng
        self._price = price
        self._write = write
        self._lock = threading.Lock()

    def __call__(self, request: dict[str, Any]) -> Reply:
        with self._lock:
            kind, share = self._rng.random(), self._rng.random()
        if kind < 0.1:
            return error(self._rng.choice([429, 500, 503]))
        prompt = sum(len(message["content"].encode()) for message in request["messages"])
        used = {
            "prompt_tokens": int(prompt * share),
            "completion_tokens": int(request["max_tokens"] * share),
        }
        with self._lock:
            self.usd += self._price.of(used["prompt_tokens"], used["completion_tokens"])
            text = self._write()
        whole = completion(text, usage=used)
        if kind < 0.2:
            return broken(whole, stop_after=20)
        if kind < 0.3:
            return reset()
        return completion(text) if kind < 0.4 else whole

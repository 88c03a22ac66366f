"""Short runs of an instruction without a fitness, whose model answers over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import eureka_agent as ea
from tests.support.openai_server import ChatServer, Reply, completion
from tests.support.rewards import upright
from tests.support.runs import config

INSTRUCTION = "keep the pole straight up"
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 50}
MEASURE = """Success is an upright pole in every step.

```python
import torch
from torch import Tensor


def measure(dof_pos: Tensor) -> Tensor:
    # The angle of the pole, over all steps of an episode.
    return torch.exp(-8.0 * dof_pos[:, 1] ** 2) / 500.0
```
"""

Answers = Callable[[dict[str, Any]], Reply]


def run_config(tmp_path: Path, server: ChatServer, **changes: object) -> ea.SynthesisConfig:
    """Return the config of an instruction on the cartpole, two generations of two rewards."""
    settings: dict[str, object] = {
        "env": "cartpole",
        "task": INSTRUCTION,
        "end": "task",
        "samples": 2,
        "model": ("test-model",),
        "base_url": server.base_url,
    }
    return config(tmp_path, **{**settings, **changes})


def image_in(request: dict[str, Any]) -> str | None:
    """Return the address of the image that a request holds, or None."""
    for message in request["messages"]:
        if isinstance(message["content"], list):
            return str(message["content"][1]["image_url"]["url"])
    return None


def asks_for_measure(request: dict[str, Any]) -> bool:
    return "You write the success measure" in str(request["messages"][0]["content"])


def score(value: object, reason: object = "it stands") -> Reply:
    return completion(json.dumps({"reason": reason, "score": value}), usage=USAGE)


class ScriptedModel:
    """Writes rewards, and answers a judge's questions with prepared replies in turn.

    The last reply is repeated.
    """

    def __init__(self, *replies: Reply) -> None:
        self.rewards = 0
        self.seen = completion("Red.", usage=USAGE)
        """The answer to the question for the colour of the test picture."""
        self.asked: list[dict[str, Any]] = []
        """The requests of the judge."""
        self._replies = replies

    def __call__(self, request: dict[str, Any]) -> Reply:
        if "all of one colour" in str(request["messages"]):
            return self.seen
        if image_in(request) is None and not asks_for_measure(request):
            self.rewards += 1
            return completion(upright(self.rewards / 10.0), usage=USAGE)
        self.asked.append(request)
        return self._replies[min(len(self.asked), len(self._replies)) - 1]

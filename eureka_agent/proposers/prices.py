"""Prices of models, if they are known."""

from __future__ import annotations

import functools
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILE = "model_prices_and_context_window_backup.json"


@dataclass(frozen=True)
class Price:
    """What a model's tokens cost, in USD each."""

    prompt: float
    answer: float

    def of(self, prompt_tokens: int, answer_tokens: int) -> float:
        """Return the price of a request and its answer, in USD."""
        return prompt_tokens * self.prompt + answer_tokens * self.answer


@dataclass(frozen=True)
class ModelInfo:
    """A model's entry in LiteLLM's price list; None for what it does not give."""

    price: Price | None = None
    max_answer_tokens: int | None = None


def look_up_model(model: str, provider: str | None = None) -> ModelInfo:
    """Return the entry of `model`, which is `provider/name` or a name at `provider`.

    The list is part of litellm (an extra) and is read without importing it. Without litellm nothing
    is known.
    """
    prefix, slash, rest = model.partition("/")
    provider = provider or prefix
    for name in (model, rest if slash else model):
        entry = _price_list().get(name)
        if isinstance(entry, dict) and entry.get("litellm_provider") == provider:
            return ModelInfo(_price(entry), _positive(entry.get("max_output_tokens")))
    return ModelInfo()


def _price(entry: dict[str, Any]) -> Price | None:
    # Some providers charge thoughts separately; servers count them as part of the answer.
    answers = [
        entry.get(name) for name in ("output_cost_per_token", "output_cost_per_reasoning_token")
    ]
    known = [float(cost) for cost in answers if isinstance(cost, int | float)]
    prompt = entry.get("input_cost_per_token")
    return Price(float(prompt), max(known)) if isinstance(prompt, int | float) and known else None


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


@functools.cache
def _price_list() -> dict[str, Any]:
    found = importlib.util.find_spec("litellm")
    if found is None or found.origin is None:
        return {}
    try:
        entries = json.loads((Path(found.origin).parent / _FILE).read_text("utf-8"))
    except (OSError, ValueError):  # a release that keeps its list elsewhere
        return {}
    return entries if isinstance(entries, dict) else {}

"""What models cost, as far as it is known."""

from __future__ import annotations

import functools
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LIST = "model_prices_and_context_window_backup.json"


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
    """What LiteLLM's price list says about a model; None for what it does not say."""

    price: Price | None = None
    most_answer_tokens: int | None = None


def lookup(model: str, provider: str | None = None) -> ModelInfo:
    """Return what is listed for `model`, which is `provider/name`, or a name at `provider`.

    The list comes with litellm (an extra) and is read without importing it; without it nothing is
    known.
    """
    prefix, slash, rest = model.partition("/")
    provider = provider or prefix
    for name in (model, rest if slash else model):
        entry = _list().get(name)
        if isinstance(entry, dict) and entry.get("litellm_provider") == provider:
            return ModelInfo(_price(entry), _positive(entry.get("max_output_tokens")))
    return ModelInfo()


def _price(entry: dict[str, Any]) -> Price | None:
    # Thinking has its own price at some providers, and servers count it as part of the answer.
    answers = [
        entry.get(name) for name in ("output_cost_per_token", "output_cost_per_reasoning_token")
    ]
    known = [float(cost) for cost in answers if isinstance(cost, int | float)]
    prompt = entry.get("input_cost_per_token")
    return Price(float(prompt), max(known)) if isinstance(prompt, int | float) and known else None


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


@functools.cache
def _list() -> dict[str, Any]:
    found = importlib.util.find_spec("litellm")
    if found is None or found.origin is None:
        return {}
    try:
        entries = json.loads((Path(found.origin).parent / _LIST).read_text("utf-8"))
    except (
        OSError,
        ValueError,
    ):  # a release that keeps its list elsewhere: prices are not known, which is said
        return {}
    return entries if isinstance(entries, dict) else {}

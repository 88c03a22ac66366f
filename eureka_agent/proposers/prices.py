"""Prices of models, if they are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, TieredPrices

_LISTED_AS = {
    "bedrock": "aws",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "moonshot": "moonshotai",
    "together_ai": "together",
    "vertex_ai": "google",
    "xai": "x-ai",
}
"""The price list's name of a provider whose name at LiteLLM is another one."""


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
    """What is known about a model; None for what is not."""

    price: Price | None = None
    max_answer_tokens: int | None = None


def look_up_price(model: str, provider: str) -> Price | None:
    """Return the price of a model in the list of `genai-prices`, which is part of that package.

    It has no discounts and no surcharges for very long prompts. Where it depends on the hour, or
    thoughts cost more than other text, the higher price counts.

    Args:
        model: The model's name at its provider.
        provider: The provider's name in the list, or at LiteLLM.

    Returns:
        The price; None if the list has no such model at this provider, or no price by token.
    """
    listed_as = _LISTED_AS.get(provider, provider)
    by_hour = [_price_at(hour, model, listed_as) for hour in range(24)]
    known = [price for price in by_hour if price is not None]
    return max(known, key=lambda price: price.of(1, 1)) if known else None


def _price_at(hour: int, model: str, provider: str) -> Price | None:
    """Return today's price at an hour of UTC."""
    from genai_prices import Usage, calc_price  # noqa: PLC0415 - takes a quarter of a second

    time = datetime.now(UTC).replace(hour=hour)
    try:
        found = calc_price(Usage(), model, provider_id=provider, genai_request_timestamp=time)
    except LookupError:
        return None
    if found.provider.id != provider:  # the list also takes names that contain a provider's
        return None
    return _by_token(found.model_price)


def _by_token(listed: ModelPrice) -> Price | None:
    prompt = _usd(listed.input_mtok)
    answer = _usd(listed.output_mtok)
    thoughts = _usd(listed.output_reasoning_mtok)
    if prompt is None or answer is None or listed.requests_kcount is not None:
        return None
    # Servers count thoughts as part of the answer.
    return Price(prompt, max(answer, thoughts or 0.0))


def _usd(of_million: Decimal | TieredPrices | None) -> float | None:
    """Return the price of one token, below any surcharge."""
    if of_million is None:
        return None
    regular = of_million if isinstance(of_million, Decimal) else of_million.base
    return float(regular) / 1e6

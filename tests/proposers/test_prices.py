"""Prices from the list of genai-prices, for the providers that LiteLLM and the SDK name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, time
from decimal import Decimal

import pytest
from genai_prices import data_snapshot
from genai_prices.types import (
    ClauseContains,
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from eureka_agent.proposers.openai_backend import OpenAIBackend
from eureka_agent.proposers.prices import look_up_price
from tests.support.chat import needs_litellm

USD_PER_MILLION = 1e-6


def model(name: str, prices: ModelPrice | list[ConditionalPrice]) -> ModelInfo:
    return ModelInfo(id=name, match=ClauseEquals(equals=name), prices=prices)


def usd(input_mtok: int, output_mtok: int, **others: Decimal) -> ModelPrice:
    return ModelPrice(input_mtok=Decimal(input_mtok), output_mtok=Decimal(output_mtok), **others)


@pytest.fixture
def _listed() -> Iterator[None]:
    """A list of one provider, whose name is contained in others' names."""
    surcharge = TieredPrices(base=Decimal(3), tiers=[Tier(start=200_000, price=Decimal(6))])
    cheap_night = [
        ConditionalPrice(prices=usd(1, 2)),
        ConditionalPrice(
            TimeOfDateConstraint(time(8, tzinfo=UTC), time(20, tzinfo=UTC)), prices=usd(2, 4)
        ),
    ]
    models = [
        model("plain", usd(1, 10)),
        model("thinking", usd(1, 10, output_reasoning_mtok=Decimal(30))),
        model("tiered", ModelPrice(input_mtok=surcharge, output_mtok=Decimal(15))),
        model("cheap-at-night", cheap_night),
        model("per-request", usd(1, 10, requests_kcount=Decimal(5))),
        model("embedding", ModelPrice(input_mtok=Decimal(1))),
        model("free", usd(0, 0)),
    ]
    maker = Provider(
        id="maker",
        name="Maker",
        api_pattern="https://maker",
        provider_match=ClauseContains(contains="maker"),
        models=models,
    )
    data_snapshot.set_custom_snapshot(data_snapshot.DataSnapshot([maker], from_auto_update=False))
    yield
    data_snapshot.set_custom_snapshot(None)


@pytest.mark.usefixtures("_listed")
@pytest.mark.parametrize(
    ("name", "prompt", "answer"),
    [
        ("plain", 1, 10),
        ("thinking", 1, 30),
        ("tiered", 3, 15),
        ("cheap-at-night", 2, 4),
        ("free", 0, 0),
    ],
)
def test_listed_model_has_its_dearest_regular_price(name: str, prompt: int, answer: int) -> None:
    price = look_up_price(name, "maker")
    assert price is not None
    assert price.prompt == pytest.approx(prompt * USD_PER_MILLION)
    assert price.answer == pytest.approx(answer * USD_PER_MILLION)


@pytest.mark.usefixtures("_listed")
@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("plainer", "maker"),
        ("per-request", "maker"),  # a price by token alone would be too low
        ("embedding", "maker"),
        ("plain", "custom_maker"),  # LiteLLM's name for somebody's own server
        ("plain", "nobody"),
    ],
)
def test_price_is_unknown_and_not_guessed(name: str, provider: str) -> None:
    assert look_up_price(name, provider) is None


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("gpt-4o", "openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("gemini-2.5-pro", "gemini"),
        ("gemini-2.5-pro", "vertex_ai"),
        ("grok-4", "xai"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "bedrock"),
        ("anthropic/claude-sonnet-4.5", "openrouter"),
    ],
)
def test_providers_of_litellm_are_found_in_the_list(name: str, provider: str) -> None:
    price = look_up_price(name, provider)
    assert price is not None
    assert 0.0 < price.prompt < price.answer < 1e-3


@pytest.mark.parametrize("name", ["gpt-4o", "openai/gpt-4o"])
def test_another_server_has_no_prices_of_openai(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    there = OpenAIBackend(name, base_url="http://localhost:1/v1")
    assert there.model_info().price is None
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert OpenAIBackend("gpt-4o").model_info().price is not None


@needs_litellm
def test_litellm_at_another_server_has_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    from eureka_agent.proposers.litellm_backend import LiteLLMBackend

    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    known = LiteLLMBackend("openai/gpt-4o").model_info()
    assert known.price == look_up_price("gpt-4o", "openai")
    assert known.max_answer_tokens == 16_384
    monkeypatch.setenv("OPENAI_API_BASE", "http://localhost:1/v1")
    assert LiteLLMBackend("openai/gpt-4o").model_info().price is None


def test_the_list_is_not_loaded_before_a_model_is_named() -> None:
    code = (
        "import eureka_agent.proposers.factory, eureka_agent.proposers.prices, sys;"
        " sys.exit('genai_prices' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

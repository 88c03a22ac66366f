from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import CredentialsError, UnavailableError, UsageError
from eureka_agent.proposers.base import Proposer
from eureka_agent.proposers.chat import ChatProposer
from eureka_agent.proposers.description import AskedModel, ProposerDescription
from eureka_agent.proposers.factory import make_proposer
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.records import Message, Prompt
from eureka_agent.tasks.registry import load_task
from eureka_agent.tasks.task import Task
from tests.support.chat import BACKENDS, needs_litellm
from tests.support.openai_server import ChatServer, completion
from tests.support.toy_task import ToyTask

ASKED = Prompt(0, (Message("user", "x"),))


@pytest.fixture(autouse=True)
def _no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def choose(on: Task | None = None, **settings: Any) -> tuple[Proposer, ProposerDescription]:
    return make_proposer(on or ToyTask(), SynthesisConfig.of(**({"task": "toy"} | settings)))


def test_without_a_model_the_grammar_is_used_even_with_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    proposer, description = choose()
    assert isinstance(proposer, GrammarProposer)
    assert description == ProposerDescription("grammar", "grammar")


def test_the_grammar_uses_the_instruction() -> None:
    task = load_task("ant_forward")
    prompt = Prompt(0, ())
    plain, _ = choose(task)
    instructed, _ = choose(
        task, env="ant_forward", task="lie down and keep still, low on the ground"
    )
    texts = [
        [c.text for c in proposer.propose(dict.fromkeys(range(4), prompt))]
        for proposer in (plain, instructed)
    ]
    assert texts[0] != texts[1]


def test_a_named_model_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    proposer, description = choose(model="some-model")
    assert isinstance(proposer, ChatProposer)
    assert proposer.name == "some-model"
    assert description.kind == "models"
    assert description.models == (AskedModel("some-model", 1.0, "api.openai.com"),)


def test_a_local_server_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    _, description = choose(model="m", base_url="http://localhost:11434/v1")
    assert description.models == (AskedModel("m", 1.0, "http://localhost:11434/v1"),)
    with pytest.raises(CredentialsError, match="There is no key for the model 'm'"):
        choose(model="m")
    with pytest.raises(CredentialsError, match="any word, if the server needs none"):
        choose(model="m", base_url="http://192.168.1.5:8000/v1")


def test_a_server_without_a_model_is_refused() -> None:
    with pytest.raises(UsageError, match="which model of that server"):
        choose(base_url="http://localhost:11434/v1")


def test_several_models_are_described_with_their_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    proposer, description = choose(model=("a=2", "b", "c=1"))
    assert isinstance(proposer, ChatProposer)
    assert list(proposer.models) == ["a", "b", "c"]
    assert [(model.name, model.share) for model in description.models] == [
        ("a", 0.5),
        ("b", 0.25),
        ("c", 0.25),
    ]
    assert not description.learns_shares
    _, description = choose(
        model=("a", "b"), model_choice="bandit", base_url="http://localhost:1/v1"
    )
    assert description.learns_shares
    assert {model.server for model in description.models} == {"http://localhost:1/v1"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": ("a=x",)}, "numbers as weights, e.g. gpt-5=2 o4=1, got 'a=x'"),
        ({"model": ("a=0", "b")}, "weights above 0"),
        ({"model": ("a=nan", "b")}, "weights above 0"),
        ({"model": ("a=2", "a")}, "a model twice"),
        ({"model": "a", "model_choice": "bandit"}, "needs several models"),
        (
            {"model": ("a", "b"), "model_choice": "bandit", "env": "hopper"},
            "a fitness to learn from",
        ),
        ({"max_cost_usd": 0.0}, "--max-cost-usd must be above 0"),
        ({"max_wall_min": float("inf")}, "--max-wall-min must be above 0"),
        ({"max_tokens": 0}, "--max-tokens must be at least 1"),
        ({"answer_tokens": 0}, "--answer-tokens must be at least 1"),
        ({"request_timeout_s": 0.0}, "--request-timeout-s must be above 0, got 0.0"),
        ({"request_timeout_s": float("nan")}, "--request-timeout-s must be above 0, got nan"),
        ({"concurrency": 0}, "--concurrency must be at least 1, got 0"),
        ({"price": (1.0,)}, "--price takes two numbers"),
        ({"price": (1.0, -1.0)}, "0 or above"),
    ],
)
def test_contradicting_models_and_limits_are_refused(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        SynthesisConfig.of(**({"task": "toy"} | settings))


def test_a_cost_limit_needs_a_known_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    with pytest.raises(UsageError, match=r"needs the price of 'm'.*--price .*--max-tokens"):
        choose(model="m", base_url="http://localhost:1/v1", max_cost_usd=1.0)
    # A listed name at another server does not give that server's prices.
    with pytest.raises(UsageError, match="needs the price of 'gpt-4o'"):
        choose(model="gpt-4o", base_url="http://localhost:1/v1", max_cost_usd=1.0)
    proposer, _ = choose(
        model="m", base_url="http://localhost:1/v1", max_cost_usd=1.0, price=(2.0, 8.0)
    )
    assert isinstance(proposer, ChatProposer)
    # USD per million tokens: 1000 of a prompt and 500 of an answer are 0.002 + 0.004.
    price = proposer.models["m"].price
    assert price is not None
    assert price.of(1000, 500) == pytest.approx(0.006)
    assert proposer.models["m"].answer_tokens == 16_384


@pytest.mark.parametrize("kind", BACKENDS)
def test_deadline_and_concurrency_come_from_the_config(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    settings: dict[str, Any] = {"model": "openai/m"}
    if kind == "openai":
        settings = {"model": "m", "base_url": chat_server.base_url}
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("OPENAI_API_BASE", chat_server.base_url)  # LiteLLM's name for it
    chat_server.default = completion("hi", delay_s=0.05)
    proposer, _ = choose(concurrency=2, **settings)
    assert len(list(proposer.propose(dict.fromkeys(range(6), ASKED)))) == 6
    assert chat_server.max_in_flight == 2
    chat_server.default = completion("late", delay_s=3.0)
    proposer, _ = choose(request_timeout_s=0.2, **settings)
    with pytest.raises(
        UnavailableError, match=r"did not answer in time: .*--request-timeout-s.*--concurrency"
    ):
        list(proposer.propose({0: ASKED}))


def test_without_litellm_a_provider_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litellm", None)  # importing it raises ImportError
    with pytest.raises(UsageError, match=r"pip install 'eureka-agent\[litellm\]'"):
        choose(model="anthropic/some-model")


@needs_litellm
def test_a_provider_of_litellm_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(CredentialsError, match="set ANTHROPIC_API_KEY"):
        choose(model="anthropic/claude-sonnet-4-5")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-1")
    proposer, _ = choose(model="anthropic/claude-sonnet-4-5", max_cost_usd=1.0)
    assert isinstance(proposer, ChatProposer)
    model = proposer.models["anthropic/claude-sonnet-4-5"]
    assert model.where == "anthropic"
    assert model.price is not None
    assert 0.0 < model.price.prompt < model.price.answer < 1e-3
    with pytest.raises(UsageError, match="LiteLLM knows no provider 'meta-llama'"):
        choose(model="meta-llama/Llama-4")


def test_a_name_with_a_slash_belongs_to_a_given_server(chat_server: ChatServer) -> None:
    proposer, _ = choose(model="meta-llama/Llama-4", base_url=chat_server.base_url)
    list(proposer.propose({0: ASKED}))
    assert chat_server.requests[0]["model"] == "meta-llama/Llama-4"


def test_the_sdk_is_not_loaded_without_a_model() -> None:
    code = (
        "import eureka_agent.proposers.factory, sys; sys.exit(bool({'openai', 'litellm'} &"
        " set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

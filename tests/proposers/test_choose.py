from __future__ import annotations

import subprocess
import sys

import pytest

from eureka_agent.errors import CredentialsError, UsageError
from eureka_agent.proposers.choose import choose_proposer
from eureka_agent.proposers.grammar import GrammarProposer
from eureka_agent.proposers.openai_chat import OpenAIProposer
from eureka_agent.records import Prompt
from eureka_agent.registry import load_task
from tests.support.toy_task import ToyTask


@pytest.fixture(autouse=True)
def _no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def test_without_a_model_it_is_the_grammar_even_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    proposer, announcement = choose_proposer(ToyTask(), model=None)
    assert isinstance(proposer, GrammarProposer)
    assert announcement == "No model named (--model): the built-in grammar proposes the rewards."


def test_the_grammar_listens_to_a_wish() -> None:
    task = load_task("ant_forward")
    prompt = Prompt(0, ())
    plain, _ = choose_proposer(task, model=None)
    wished, _ = choose_proposer(task, model=None, wish="lie down and keep still, low on the ground")
    texts = [[c.text for c in proposer.propose(prompt, range(4))] for proposer in (plain, wished)]
    assert texts[0] != texts[1]


def test_a_named_model_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    proposer, announcement = choose_proposer(ToyTask(), model="some-model", temperature=0.3)
    assert isinstance(proposer, OpenAIProposer)
    assert (proposer.name, proposer.temperature) == ("some-model", 0.3)
    assert announcement == "The model some-model proposes the rewards."


def test_a_local_server_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    _, announcement = choose_proposer(ToyTask(), model="m", base_url="http://localhost:11434/v1")
    assert announcement == "The model m at http://localhost:11434/v1 proposes the rewards."
    with pytest.raises(CredentialsError, match="There is no key for the model 'm'"):
        choose_proposer(ToyTask(), model="m")
    with pytest.raises(CredentialsError, match="any word, if the server needs none"):
        choose_proposer(ToyTask(), model="m", base_url="http://192.168.1.5:8000/v1")


def test_a_server_without_a_model_is_half_a_wish() -> None:
    with pytest.raises(UsageError, match="name one of its models"):
        choose_proposer(ToyTask(), model=None, base_url="http://localhost:11434/v1")


def test_the_sdk_is_not_loaded_without_a_model() -> None:
    code = "import eureka_agent.proposers.choose, sys; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Keys and passwords are removed from everything that a server sends, and from addresses."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import ProposerError, UsageError
from eureka_agent.proposers.openai_backend import OpenAIBackend
from eureka_agent.utils.redaction import redacted, redacted_all
from tests.support.chat import BACKENDS, PROMPT, proposer
from tests.support.openai_server import ChatServer, Reply, completion, error, raw

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
KEY = "sk-proj-0123456789/abc+def"
OTHER = "anthropic-secret-of-mine"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", OTHER)


SAID = f"{'x' * 180} the key {KEY} and {OTHER} are wrong"
REFUSALS = {
    "refused key": error(401, f"Incorrect API key provided: {KEY}"),
    "at the end of an excerpt": error(400, SAID),
    "rate limit": error(429, f"{OTHER} asks too much"),
    "server error": error(500, f"no route for {KEY}"),
    "a page": Reply(200, f"<html>Bearer {KEY}</html>", content_type="text/html"),
    "an error in 200": raw(json.dumps({"error": {"message": f"bad {KEY}", "code": 400}})),
    "the key as a field": raw(json.dumps({KEY: 1})),
    "escaped": raw(
        json.dumps({"error": {"message": KEY, "code": 401}})
        .replace("/", "\\/")
        .replace("s", "\\u0073")
    ),
}


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("name", REFUSALS)
def test_no_error_repeats_a_key(chat_server: ChatServer, kind: str, name: str) -> None:
    chat_server.default = REFUSALS[name]
    with pytest.raises(ProposerError) as caught:
        [*proposer(chat_server, kind).propose({0: PROMPT})]
    shown = str(caught.value) + "".join(traceback.format_exception(caught.value))
    for secret in (KEY, OTHER, KEY[:12]):
        assert secret not in shown


@pytest.mark.parametrize("kind", BACKENDS)
def test_no_answer_keeps_a_key(chat_server: ChatServer, kind: str) -> None:
    chat_server.default = completion(f"Your key is {KEY}.", model=f"m-{OTHER}")
    (answer,) = proposer(chat_server, kind).propose({0: PROMPT})
    assert answer.text == "Your key is [OPENAI_API_KEY]."
    assert OTHER not in (answer.served_by or "")


def test_values_of_secret_variables_are_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    names = (
        "AWS_SECRET_ACCESS_KEY",
        "HF_TOKEN",
        "WATSONX_APIKEY",
        "AZURE_CLIENT_SECRET",
        "MY_PASSWORD",
        "X_API_KEY_2",
    )
    for name in names:
        monkeypatch.setenv(name, f"the-value-of-{name}")
        assert redacted(f"a the-value-of-{name} b") == f"a [{name}] b"
    monkeypatch.setenv("NOT_SPECIAL", "an ordinary value")
    assert redacted("an ordinary value") == "an ordinary value"
    monkeypatch.setenv("SHORT_KEY", "ollama")
    assert redacted("ollama") == "ollama"


def test_encoded_secrets_and_passwords_in_addresses_are_redacted() -> None:
    assert redacted("?key=sk-proj-0123456789%2Fabc%2Bdef&x") == "?key=[OPENAI_API_KEY]&x"
    assert redacted("via http://me:pass@proxy:8080/ and") == "via http://[redacted]@proxy:8080/ and"
    nested: list[object] = [KEY]
    for _ in range(50_000):
        nested = [nested]
    inner = redacted_all(nested)
    while isinstance(inner[0], list):
        inner = inner[0]
    assert inner == ["[OPENAI_API_KEY]"]


@pytest.mark.parametrize(
    "url",
    ["http://me:pass-word@host/v1", "https://pass-word@host", "http://a@b:pass-word@[::1]:1/v1"],
)
def test_an_address_with_user_information_is_refused_and_not_stored(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ["--model", "m", "--base-url", url]
    assert (
        main(["synthesize", "--task", "cartpole", *model, "--runs-dir", str(tmp_path / "r")]) == 2
    )
    shown = capsys.readouterr()
    assert "--base-url holds a user name or a password" in " ".join(shown.err.split())
    assert "pass-word" not in shown.err + shown.out
    assert not (tmp_path / "r").exists()
    with pytest.raises(UsageError, match="holds a user name or a password"):
        SynthesisConfig.of(task="cartpole", model="m", base_url=url)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(UsageError, match="OPENAI_BASE_URL holds a user name or a password"):
        OpenAIBackend("m")


def test_an_at_sign_in_a_path_is_kept() -> None:
    assert SynthesisConfig.of(
        task="cartpole", model="m", base_url="http://localhost:1/@me/v1"
    ).models.base_url

"""Addresses with a query, proxies, certificates; each message names the variable to change."""

from __future__ import annotations

import importlib.util
import ssl
from pathlib import Path

import pytest

from eureka_agent import errors
from eureka_agent.proposers import network
from eureka_agent.proposers.factory import chat_proposer
from eureka_agent.proposers.network import Address, address
from eureka_agent.proposers.refusals import connection_error
from tests.support.chat import BACKENDS, PROMPT, needs_litellm, proposer
from tests.support.openai_server import ChatServer

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
FAR = "http://model.invalid/v1"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *PROXIES,
        *(name.lower() for name in PROXIES),
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "OPENAI_BASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")


# ---------------------------------------------------------------- addresses
@pytest.mark.parametrize(
    ("url", "base", "query"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1", {}),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1", {}),
        (" https://x/v1/chat/completions ", "https://x/v1", {}),
        (
            "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
            "https://x.openai.azure.com/openai/deployments/d",
            {"api-version": "2024-10-21"},
        ),
        ("https://x/v1?a=1&b=", "https://x/v1", {"a": "1", "b": ""}),
    ],
)
def test_an_address_is_split_into_parts(url: str, base: str, query: dict[str, str]) -> None:
    assert address(url).base == base
    assert address(url).query == query


@pytest.mark.parametrize(
    ("url", "local", "azure"),
    [
        ("http://127.0.0.2:1/v1", True, False),
        ("http://[::1]:1/v1", True, False),
        ("http://localhost/v1", True, False),
        ("http://localhost.x/v1", False, False),
        ("https://x.openai.azure.com/openai", False, True),
        ("https://openai.azure.com.x/openai", False, False),
    ],
)
def test_local_and_azure_addresses_are_recognised(url: str, local: bool, azure: bool) -> None:
    found = address(url)
    assert (found.local, found.azure) == (local, azure)


def test_every_request_has_the_query_of_the_address(chat_server: ChatServer) -> None:
    root = chat_server.base_url.removesuffix("/v1")
    url = f"{root}/openai/deployments/d?api-version=2024-10-21"
    asked = proposer(chat_server, base_url=url)
    assert [answer.text for answer in asked.propose(dict.fromkeys(range(2), PROMPT))] == [
        "hello"
    ] * 2
    assert (
        chat_server.paths == ["/openai/deployments/d/chat/completions?api-version=2024-10-21"] * 2
    )
    assert asked.models["test-model"].where == f"{root}/openai/deployments/d"


@needs_litellm
def test_litellm_refuses_an_address_with_a_query(chat_server: ChatServer) -> None:
    with pytest.raises(errors.UsageError, match="--base-url"):
        proposer(chat_server, "litellm", base_url=f"{chat_server.base_url}?api-version=1")


def test_azure_gets_the_key_in_its_own_header(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(proposer(chat_server).propose({0: PROMPT}))
    monkeypatch.setattr(Address, "azure", True)
    list(proposer(chat_server).propose({0: PROMPT}))
    assert [headers.get("api-key") for headers in chat_server.headers] == [None, "sk-1"]


@pytest.mark.parametrize("old", ["http://localhost:1/v1", "https://x/v1"])
def test_the_old_clients_variable_is_refused_if_it_would_be_ignored(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", old)
    with pytest.raises(
        errors.UsageError, match=r"OPENAI_API_BASE is set, .*OPENAI_BASE_URL.*--base-url"
    ):
        chat_proposer({"m": 1.0})
    chat_proposer({"m": 1.0}, base_url=chat_server.base_url)
    monkeypatch.setenv("OPENAI_BASE_URL", chat_server.base_url)
    chat_proposer({"m": 1.0})


# ---------------------------------------------------------------- proxies
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"])
def test_a_socks_proxy_without_its_package_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if importlib.util.find_spec("socksio") is not None:
        pytest.skip("socksio is installed")
    monkeypatch.setenv(name, "socks5://me:secret@127.0.0.1:9")
    with pytest.raises(
        errors.UsageError, match=rf"^{name} names a SOCKS proxy.*pip install 'httpx\[socks\]'"
    ) as raised:
        chat_proposer({"m": 1.0}, base_url=FAR)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("proxy", ["ftp://x:1", "socks4://x:1", "http://", "http://x:port"])
def test_an_invalid_proxy_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(errors.UsageError, match=r"^HTTPS_PROXY must name a proxy such as http"):
        chat_proposer({"m": 1.0}, base_url=FAR)


def test_no_proxy_is_used_for_local_or_excluded_addresses(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:9")
    list(chat_proposer({"m": 1.0}, base_url=chat_server.base_url).propose({0: PROMPT}))
    assert len(chat_server.requests) == 1
    monkeypatch.setenv("NO_PROXY", "*")
    chat_proposer({"m": 1.0}, base_url=FAR)


def test_a_proxy_that_does_not_answer_is_named(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:9")
    asked = proposer(chat_server, base_url=FAR)
    with pytest.raises(
        errors.UnavailableError,
        match=r"cannot be reached .*through the proxy of HTTP_PROXY \(127\.0\.0\.1:9\)",
    ) as raised:
        list(asked.propose({0: PROMPT}))
    assert "secret" not in str(raised.value)
    assert asked.spending.reserved.tokens == 0


# ---------------------------------------------------------------- certificates
@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_missing_certificate_files_are_a_usage_error(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, kind: str
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "none.pem"))
    with pytest.raises(
        errors.UsageError, match=rf"^{name} is set to .*none.pem, which does not exist"
    ):
        proposer(chat_server, kind, base_url=FAR)


def test_an_unknown_certificate_is_explained_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    error = ConnectionError("no")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate in certificate chain")
    failed = type("ConnectError", (Exception,), {})("no")
    failed.__cause__ = error
    assert "set SSL_CERT_FILE to a file" in str(connection_error(failed, "https://x/v1"))
    (tmp_path / "ours.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ours.pem"))
    assert f"SSL_CERT_FILE={tmp_path / 'ours.pem'} signed its certificate: add the" in str(
        connection_error(failed, "https://x/v1")
    )


def test_https_to_a_plain_http_server_is_explained(chat_server: ChatServer) -> None:
    asked = proposer(chat_server, base_url=chat_server.base_url.replace("http:", "https:"))
    with pytest.raises(errors.UnavailableError, match="begin with http:// or https://"):
        list(asked.propose({0: PROMPT}))


def test_certificates_of_the_environment_are_used_for_local_servers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert network.certificates() is True
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert isinstance(network.certificates(), ssl.SSLContext)

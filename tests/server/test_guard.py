"""Attacks on the pages, with a real server: other sites, other names, missing secrets, large forms."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.drafts import Draft, read_draft
from eureka_agent.server import PageServer
from eureka_agent.server.forms import MOST_BYTES, MOST_FIELDS
from tests.support.page import form_of, visited, visitor, waiting_run

PAGE = "/runs/run/generations/0"
PATHS = ("/", "/runs/run", PAGE, f"{PAGE}/pairs", "/runs/run/live", "/assets/page.js", "/nothing")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 7 * 7 }}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a waiting run, about which no test here succeeds to save anything."""
    folder = tmp_path_factory.mktemp("runs")
    waiting_run(folder / "run")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[PageServer]:
    with PageServer(folder, 0) as server:
        yield server


def saved(folder: Path) -> Draft:
    return read_draft(RunDir(folder / "run"), 0)


def site(server: PageServer) -> str:
    return f"http://127.0.0.1:{server.port}"


# ---------------------------------------------------------------------- the secret
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", "?secret=", "?secret=wrong", "?secret=%F0%9F%92%A9"])
def test_without_the_secret_nothing_is_shown(server: PageServer, path: str, query: str) -> None:
    answer = httpx.get(site(server) + path + query)
    assert answer.status_code == 403
    assert "terminal" in answer.text
    assert "run" not in answer.headers.get("set-cookie", "")


def test_a_wrong_cookie_is_refused(server: PageServer) -> None:
    with visitor(server.url()) as client:
        (name,) = client.cookies
    for value in ("", "x", "ü", 'a"; b=c'):
        headers = [(b"Cookie", f"{name}={value}".encode())]
        assert httpx.get(site(server), headers=headers).status_code == 403


def test_the_address_sets_a_cookie_that_no_other_site_and_no_script_gets(
    server: PageServer,
) -> None:
    answer = httpx.get(server.url("run"))
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert 'content="0; url=/runs/run"' in answer.text  # the secret leaves the address
    assert "secret" not in answer.text


def test_the_entrance_leads_to_this_machine_only(server: PageServer) -> None:
    secret = server.url().partition("?")[2]
    for path in ("//evil.example/x", "/\\evil.example", '/"><script>x</script>'):
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            request = (
                f"GET {path}?{secret} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            )
            raw.sendall(request.encode())
            text = b"".join(iter(lambda: raw.recv(65_536), b"")).decode()
        assert "<script" not in text
        assert not re.search(r"url=//|url=/\\", text)


def test_two_servers_have_different_secrets(tmp_path: Path) -> None:
    with PageServer(tmp_path, 0) as first, PageServer(tmp_path, 0) as second:
        assert first.url().partition("?")[2] != second.url().partition("?")[2]


# ---------------------------------------------------------------------- other sites
@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example", "evil.example:1"],
)
def test_another_name_of_this_machine_is_refused(server: PageServer, host: str) -> None:
    """A site that points its own name to 127.0.0.1 would read the pages (DNS rebinding)."""
    with visitor(server.url()) as client:
        assert client.get("/", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:9000", "[::1]:9000"])
def test_this_machine_is_known_behind_another_port(server: PageServer, host: str) -> None:
    """`ssh -L 9000:localhost:8765` changes the port that a browser names."""
    with visitor(server.url()) as client:
        assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": ""},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(
    server: PageServer, folder: Path, headers: dict[str, str]
) -> None:
    with visitor(server.url()) as client:
        fields = form_of(client.get(PAGE)) | {"best": "g0c0", "action": "save"}
        assert client.post(PAGE, data=fields, headers=headers).status_code == 403
    assert saved(folder).is_empty


def test_a_form_of_our_own_page_under_no_referrer_is_accepted(
    tmp_path: Path,
) -> None:
    """Browsers then send `null` as the origin, and say in another header that it is the same."""
    waiting_run(tmp_path / "run")
    with visited(tmp_path) as client:
        fields = form_of(client.get(PAGE)) | {"best": "g0c0", "action": "save"}
        headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
        assert client.post(PAGE, data=fields, headers=headers).status_code == 303
    assert saved(tmp_path).best == "g0c0"


@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_a_form_without_the_token_is_refused(
    server: PageServer, folder: Path, token: str | None
) -> None:
    with visitor(server.url()) as client:
        fields = form_of(client.get(PAGE)) | {"best": "g0c0", "action": "submit"}
        del fields["token"]
        if token is not None:
            fields["token"] = token
        assert client.post(PAGE, data=fields).status_code == 403
    assert saved(folder).is_empty


def test_every_answer_carries_the_headers(server: PageServer) -> None:
    with visitor(server.url()) as client:
        answers = [client.get(path) for path in (*PATHS, "/runs/run/replays/x")]
        answers += [client.post(PAGE), client.put("/"), httpx.get(site(server))]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(server: PageServer, method: str) -> None:
    with visitor(server.url()) as client:
        assert client.request(method, "/").status_code == 405


def test_only_this_machine_is_listened_to(server: PageServer) -> None:
    name = socket.gethostname()
    others = {info[4][0] for info in socket.getaddrinfo(name, None, socket.AF_INET)} - {"127.0.0.1"}
    for address in others:
        with pytest.raises(OSError, match=r"refused|timed out"):
            socket.create_connection((str(address), server.port), timeout=2.0)


# ---------------------------------------------------------------------- hostile text
def test_what_a_model_and_a_person_write_never_becomes_html(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run", words=HOSTILE)
    with visited(tmp_path) as client:
        fields = form_of(client.get(PAGE))
        words = {"words.g0c0": HOSTILE, "edit.g0c1": HOSTILE, "action": "submit"}
        refused = client.post(PAGE, data=fields | words)
        pages = [refused, *(client.get(path) for path in ("/", "/runs/run", PAGE, f"{PAGE}/pairs"))]
    assert refused.status_code == 422
    for page in pages:
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "49" not in re.findall(r">[^<]*\b49\b[^<]*<", page.text)
        for script in re.findall(r"<script[^>]*>", page.text):
            assert 'src="/assets/' in script
        assert not re.search(r"\son\w+=", re.sub(r"&\w+;|>[^<]*<", "><", page.text))
    assert form_of(pages[3])["words.g0c0"] == HOSTILE  # what was written is kept as it is


@pytest.mark.parametrize(
    "path",
    [
        "/runs/..",
        "/runs/%2e%2e",
        "/runs/..%2f..%2fetc",
        "/runs/%2fetc",
        "/runs/run%2f..%2fother",
        "/runs/run/replays/..%2frun.db",
        "/runs/run/replays/%2e%2e",
        "/runs/run/generations/..%2f0",
        "/runs/run/generations/-1",
        "/runs/run/generations/99999999999999999999",
        "/runs/run/generations/%D9%A1",
        "/assets/..%2fpage.js",
        "/assets/%2e%2e%2fguard.py",
        "/assets/page.css%00.js",
        "/run/run.db",
    ],
)
def test_paths_lead_to_runs_and_candidates_on_the_disk_only(server: PageServer, path: str) -> None:
    with (
        socket.create_connection(("127.0.0.1", server.port)) as raw,
        visitor(server.url()) as client,
    ):
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        lines = (
            f"GET {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Cookie: {cookie}",
            "Connection: close",
        )
        raw.sendall("\r\n".join((*lines, "", "")).encode())
        text = b"".join(iter(lambda: raw.recv(65_536), b"")).decode()
    assert text.startswith("HTTP/1.1 404"), text[:200]


# ---------------------------------------------------------------------- forms and floods
def test_a_form_that_is_too_large_is_refused(server: PageServer, folder: Path) -> None:
    with visitor(server.url()) as client:
        fields = form_of(client.get(PAGE))
        kind = {"Content-Type": "application/x-www-form-urlencoded"}

        def chunks() -> Iterator[bytes]:
            """Send without a length, so that only counting helps."""
            for _ in range(200):
                yield b"words.g0c0=" + b"x" * 10_000 + b"&"

        answers = [
            client.post(PAGE, data=fields | {"words.g0c0": "x" * MOST_BYTES}),
            client.post(PAGE, content=chunks(), headers=kind),
            client.post(PAGE, data={f"f{n}": "" for n in range(MOST_FIELDS + 1)}),
        ]
        assert [answer.status_code for answer in answers] == [413, 413, 413]
        last = client.post(PAGE, data=fields | {"words.g0c0": "x" * 10_001})
        assert last.status_code == 400, last.text[:600]
        assert client.get(PAGE).status_code == 200
    assert saved(folder).is_empty


def test_other_kinds_of_forms_and_uploads_are_refused(server: PageServer) -> None:
    with visitor(server.url()) as client:
        fields = form_of(client.get(PAGE))
        assert client.post(PAGE, data=fields, files={"f": b"x"}).status_code == 415
        assert client.post(PAGE, json=fields).status_code == 415
        assert client.post(PAGE, content=b"best=g0c0").status_code == 415


@pytest.mark.parametrize(
    "more",
    [
        {"words.g9c9": "x"},
        {"mark.g0c0.7": "keep"},
        {"mark.g0c0.x": "keep"},
        {"other": "x"},
        {"words.g0c0.x": "x"},
        {"action": "delete"},
    ],
)
def test_fields_that_the_form_does_not_have_are_refused(
    server: PageServer, folder: Path, more: dict[str, str]
) -> None:
    with visitor(server.url()) as client:
        fields = form_of(client.get(PAGE)) | {"best": "g0c0", "action": "save"}
        assert client.post(PAGE, data=fields | more).status_code == 400
    assert saved(folder).is_empty


def test_a_thousand_requests_are_answered(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run")
    paths = ("/", "/runs/run", PAGE, "/runs/run/live")
    with visited(tmp_path) as client, ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: client.get(paths[n % 4]).status_code, range(1_000)))
        assert set(answers) <= {200, 503}  # 503: more at once than the server takes
        assert answers.count(200) > 900
        assert client.get(PAGE).status_code == 200

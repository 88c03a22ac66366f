"""`eureka-agent serve` on a real terminal."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from tests.support.page import text_of, visitor
from tests.support.stored_run import stored_run
from tests.support.terminal import Terminal


@pytest.mark.slow
def test_serve_shows_the_runs_until_ctrl_c(tmp_path: Path) -> None:
    stored_run(tmp_path / "run")
    with Terminal("main", ["serve", str(tmp_path), "--port", "0"]) as terminal:
        shown = terminal.expect("Ctrl-C ends it.")
        found = re.search(r"http://127\.0\.0\.1:(\d+)/\?secret=[\w-]+", shown)
        assert found is not None
        assert f"ssh -L {found[1]}:localhost:{found[1]}" in shown
        with visitor(found[0]) as client:
            assert "run finished" in text_of(client.get("/"))
        assert terminal.interrupt() == 130


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "There is no folder"),
        ([".", "--port", "70000"], "--port must lie between 0 and 65535"),
        ([".", "--port", "-1"], "--port must lie between 0 and 65535"),
    ],
)
def test_a_folder_or_a_port_that_cannot_work_is_an_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["serve", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_port_that_is_taken_is_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert main(["serve", str(tmp_path), "--port", str(other.getsockname()[1])]) == 2
    assert "choose another with --port" in " ".join(capsys.readouterr().err.split())

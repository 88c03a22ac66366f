"""A full disk: one sentence, earlier data stays, and the run continues with free space."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from eureka_agent.errors import StoreError
from eureka_agent.records import Completion
from eureka_agent.runs.store import Store
from tests.support.stored_run import stored_run

BIG = b"x" * 30_000
ROOT = Path(__file__).parents[2]


def test_a_database_at_its_size_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own size limit gives the error of a full disk, without any privileges."""
    run = stored_run(tmp_path / "run", finished=False)
    with Store.open(run.database) as store:
        (pages,) = store._db.execute("PRAGMA page_count").fetchone()
        store._db.execute(f"PRAGMA max_page_count = {pages + 4}")
        store.save_completion(0, Completion(2, "x" * 3_000, "model"))
        with pytest.raises(
            StoreError, match=r"Cannot write a completion .*is full.*Earlier data is intact.*resume"
        ):
            store.save_completion(0, Completion(3, "x" * 30_000, "model"))
        assert [*store.completions(0)] == [0, 1, 2]
        with pytest.raises(StoreError, match="is full"):
            store.save_outcomes(
                [
                    (replace(o, candidate=replace(o.candidate, generation=1)), BIG)
                    for o in store.outcomes(0)
                ]
            )
        assert store.outcomes(1) == []
        store._db.execute(f"PRAGMA max_page_count = {pages + 99}")
        store.save_completion(1, Completion(5, "there is room again", "model"))
    with sqlite3.connect(run.database) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.slow
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """A small file system in memory, in a mount namespace of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = 'mount -t tmpfs -o size=600k none "$1" && exec "$2" -m tests.support.full_disk "$1"'
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        mount,
        "sh",
        str(disk),
        sys.executable,
    ]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command[:4], "true"], check=False).returncode
    ):
        pytest.skip("this machine allows no mount namespace")
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout.endswith("all is well\n"), ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    assert "error: " in ran.stderr


def test_a_full_disk_for_the_output(tmp_path: Path) -> None:
    run = stored_run(tmp_path / "run")
    command = [
        sys.executable,
        "-c",
        "import sys; from eureka_agent.cli.main import main; sys.exit(main())",
    ]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [*command, "show", str(run.path)],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: ")
    assert "No space left" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_unreadable_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(tmp_path / "none")]) == 2
    assert "There is no folder" in capsys.readouterr().err

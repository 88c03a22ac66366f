"""Damaged, locked or other-version databases: one sentence, no traceback, nothing changed."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from eureka_agent.errors import EurekaError, StoreError
from eureka_agent.records import Completion
from eureka_agent.report.export import export_text, exported
from eureka_agent.runs import sqlite as database
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from tests.support.stored_run import stored_run


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return stored_run(tmp_path / "run", finished=False)


Change = Callable[[Path], object]


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cut(share: float) -> Change:
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def overwrite(place: int, data: bytes) -> Change:
    def change(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[place : place + len(data)] = data
        path.write_bytes(content)

    return change


def command(*statements: str) -> Change:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    return change


DAMAGE: dict[str, tuple[Change, str]] = {
    "truncated": (cut(0.6), "is damaged or not a database"),
    "cut to its first page": (cut(0.05), "is damaged or not a database"),
    "empty": (lambda path: path.write_bytes(b""), "stopped before anything was written"),
    "not a database": (
        lambda path: path.write_text("dear diary\n" * 999),
        "file is not a database",
    ),
    "a folder": (a_folder, "There is no"),
    "its header overwritten": (overwrite(0, b"\xff" * 16), "file is not a database"),
    "its schema's page overwritten": (
        overwrite(100, b"\xff" * 200),
        "is damaged or not a database",
    ),
    "a table's page overwritten": (overwrite(4096, b"\xff" * 64), "is damaged or not a database"),
    "without a table": (command("DROP TABLE outcomes"), "is damaged: it lacks outcomes"),
    "another program's": (command("DROP TABLE meta"), "has schema None"),
    "of another version": (
        command("UPDATE meta SET value = '99' WHERE key = 'schema'"),
        "has schema 99",
    ),
    "with a damaged config": (
        command("UPDATE meta SET value = '{' WHERE key = 'config'"),
        "damaged SynthesisConfig",
    ),
    "with a config of no text": (command("UPDATE meta SET value = x'ff00'"), "has schema"),
}


VERBS = [(kind, verb) for kind in DAMAGE for verb in ("show", "resume", "export", "diff")]
VERBS.remove(("with a damaged config", "diff"))  # it does not read the config


@pytest.mark.parametrize(("kind", "verb"), VERBS)
def test_a_damaged_run_gives_one_sentence_and_is_not_changed(
    run: RunDir, capsys: pytest.CaptureFixture[str], kind: str, verb: str
) -> None:
    damage, says = DAMAGE[kind]
    damage(run.database)
    before = run.database.read_bytes() if run.database.is_file() else b""
    code = main([verb, str(run.path), *(["g1c0"] if verb == "diff" else [])])
    captured = capsys.readouterr()
    assert code == 1
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert "Traceback" not in captured.err
    assert says in captured.err
    assert len(captured.err) < 700
    assert (run.database.read_bytes() if run.database.is_file() else b"") == before


def test_runs_lists_a_damaged_run_with_the_others(
    run: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored_run(tmp_path / "whole")
    cut(0.6)(run.database)
    assert main(["runs", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "damaged" in out
    assert "finished" in out


def all_of(path: Path) -> str:
    with Store.open(path, writable=False) as store:
        return export_text(replace(exported(store, policies=True), run=""))


@pytest.mark.parametrize("seed", range(3))
def test_flipped_bytes_raise_only_our_errors(run: RunDir, seed: int) -> None:
    """A change that neither SQLite nor the records detect (another letter in a text) is read."""
    dice, whole, seen = random.Random(seed), run.database.read_bytes(), 0
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(dice.choice([1, 1, 8, 200])):
            content[dice.randrange(len(content))] = dice.randrange(256)
        run.database.write_bytes(content)
        with suppress(EurekaError):
            seen += 1
            all_of(run.database)
            seen -= 1
        assert run.database.read_bytes() == content
    assert seen > 5
    run.database.write_bytes(whole)
    assert '"g1c1"' in all_of(run.database)


@pytest.fixture
def states(run: RunDir, tmp_path: Path) -> list[Path]:
    """Return copies of the folder after 0 to 3 further answers, as a kill would leave them: with
    logs."""
    copies = []
    with Store.open(run.database) as store:
        for k in range(4):
            copies.append(Path(shutil.copytree(run.path, tmp_path / f"copy{k}")) / "run.db")
            store.save_completion(0, Completion(2 + k, "x" * 9_000, "model"))
    return copies


def log_of(path: Path) -> Path:
    return path.with_name("run.db-wal")


def test_a_killed_run_has_all_that_was_committed(states: list[Path]) -> None:
    for k, path in enumerate(states):
        assert all_of(path).count("x" * 9_000) == k
        with Store.open(path) as store:
            assert len(store.completions(0)) == 2 + k


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_a_cut_log_gives_an_earlier_state(states: list[Path], share: float) -> None:
    path = states[3]
    cut(share)(log_of(path))
    assert all_of(path).count("x" * 9_000) <= 2
    with Store.open(path) as store:
        assert len(store.completions(0)) <= 4


def test_a_log_of_noise_is_ignored(states: list[Path]) -> None:
    path = states[2]
    log_of(path).write_bytes(random.Random(0).randbytes(50_000))
    assert all_of(path).count("x" * 9_000) == 0


def test_a_log_of_another_time_gives_an_earlier_state_or_an_error(
    states: list[Path], run: RunDir
) -> None:
    """A copied database with an earlier or a later log."""
    known = [all_of(path) for path in (*states, run.database)]
    final = run.database.read_bytes()
    for k, path in enumerate(states):
        for database_bytes in (final, states[0].read_bytes()):
            path.write_bytes(database_bytes)
            with suppress(StoreError):
                assert all_of(path) in known, k


def test_a_database_that_another_program_has_locked(
    run: RunDir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_S", 0.1)
    with closing(sqlite3.connect(run.database, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE meta SET value = value")
        for verb in ("show", "resume"):
            assert main([verb, str(run.path)]) == 1
            message = capsys.readouterr().err
            assert "database is locked" in message
            assert "damaged" not in message
        other.execute("ROLLBACK")
    assert main(["show", str(run.path)]) == 0
    with (
        Store.open(run.database) as store,
        closing(sqlite3.connect(run.database, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"database is locked. Earlier data is intact"):
            store.save_metadata("x", "1")
        other.execute("ROLLBACK")
        store.save_metadata("x", "1")
        assert store.metadata("x") == "1"


def test_two_processes_on_one_run(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    hold = (
        "import sys; from pathlib import Path; from eureka_agent.runs.store import Store\n"
        "with Store.open(Path(sys.argv[1])):\n    print('mine', flush=True); sys.stdin.read()"
    )
    start = [sys.executable, "-c", hold, str(run.database)]
    with subprocess.Popen(
        start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "mine\n"
        assert main(["resume", str(run.path)]) == 2
        assert "Another process is working on the run" in capsys.readouterr().err
        assert main(["show", str(run.path)]) == 0
        assert main(["runs", str(run.path.parent)]) == 0
        assert "running" in " ".join(capsys.readouterr().out.split())
        process.stdin.close()
        assert process.wait() == 0
    assert main(["runs", str(run.path.parent)]) == 0
    assert "interrupted" in capsys.readouterr().out
    Store.open(run.database).close()


def test_a_refused_database_is_not_claimed(run: RunDir) -> None:
    whole = run.database.read_bytes()
    cut(0.6)(run.database)
    with pytest.raises(StoreError):
        Store.open(run.database)
    run.database.write_bytes(whole)
    Store.open(run.database).close()


def test_a_missing_run_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database"):
        Store.open(tmp_path / "run.db")
    assert not list(tmp_path.iterdir())

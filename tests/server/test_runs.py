"""The runs of a folder are read cheaply: what is opened, and how often."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from eureka_agent.records import Feedback
from eureka_agent.runs.database import RunDatabase
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.progress import RunProgressRecord
from eureka_agent.runs.store import Store
from eureka_agent.server.runs import Runs
from eureka_agent.utils.files import write_file
from eureka_agent.utils.serialization import to_json
from tests.support.page import text_of, visited, waiting_run
from tests.support.stored_run import stored_run

MANY = 50
FINISHED = RunProgressRecord(
    "cartpole", "balance", "steps", "2026-01-31T12:00:00+00:00", "finished", 2, 2, 1, "g1c0", 7.0
)


class Opened:
    """Counts how often a database is opened."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Opened:
        original = RunDatabase.open.__func__  # type: ignore[attr-defined]

        def counting(cls: type[RunDatabase], path: Path, *, writable: bool = True) -> RunDatabase:
            self.count += 1
            found: RunDatabase = original(cls, path, writable=writable)
            return found

        self._patch = patch.object(RunDatabase, "open", classmethod(counting))
        self._patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.stop()


def many_runs(folder: Path, *, progress: bool) -> None:
    first = stored_run(folder / "run00")
    if progress:
        write_file(first.progress, to_json(FINISHED))
    for number in range(1, MANY):
        shutil.copytree(first.path, folder / f"run{number:02}")


def test_the_list_of_runs_with_progress_opens_no_database(tmp_path: Path) -> None:
    many_runs(tmp_path, progress=True)
    with Opened() as opened:
        rows = Runs(tmp_path).overviews()
    assert opened.count == 0
    assert len(rows) == MANY
    assert {(row.state, row.best, row.generations) for row in rows} == {
        ("finished", "g1c0 7.00", "2 of 2")
    }


def test_the_list_of_older_runs_opens_each_database_once(tmp_path: Path) -> None:
    many_runs(tmp_path, progress=False)
    runs = Runs(tmp_path)
    with Opened() as opened:
        first = runs.overviews()
        assert opened.count == MANY
        assert runs.overviews() == first
    assert opened.count == MANY


def test_a_run_is_read_again_only_after_a_change(tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "run")
    runs = Runs(tmp_path)
    with Opened() as opened:
        for _ in range(5):
            assert runs.state("run").question is not None
        assert opened.count == 1
        with Store.open(run.database) as store:
            store.save_feedback(Feedback(0))
        assert runs.state("run").question is None
    assert opened.count == 3


def test_few_reports_are_kept(tmp_path: Path) -> None:
    first = waiting_run(tmp_path / "run0")
    for number in range(1, 12):
        shutil.copytree(first.path, tmp_path / f"run{number}")
    runs = Runs(tmp_path)
    for number in range(12):
        runs.state(f"run{number}")
    assert len(runs._stored) == 8
    with Opened() as opened:
        runs.state("run11")
        assert opened.count == 0
        runs.state("run0")
        assert opened.count == 1


def test_a_run_that_is_replaced_by_another_is_read_again(tmp_path: Path) -> None:
    waiting_run(tmp_path / "run")
    runs = Runs(tmp_path)
    assert runs.state("run").question is not None
    shutil.rmtree(tmp_path / "run")
    stored_run(tmp_path / "run")
    assert runs.state("run").question is None
    assert runs.state("run").state == "finished"


@pytest.mark.slow
def test_the_list_of_50_runs_takes_less_than_half_a_second(tmp_path: Path) -> None:
    many_runs(tmp_path, progress=True)
    with visited(tmp_path) as client:
        assert _seconds(client) < 0.5


@pytest.mark.slow
def test_the_list_of_50_older_runs_takes_less_than_half_a_second_the_second_time(
    tmp_path: Path,
) -> None:
    many_runs(tmp_path, progress=False)
    with visited(tmp_path) as client:
        client.get("/")
        assert _seconds(client) < 0.5


def _seconds(client: httpx.Client) -> float:
    """Return the shortest of three times that the list takes."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        page = client.get("/")
        times.append(time.perf_counter() - begun)
        assert text_of(page).count("2 of 2 generations") == MANY
    return min(times)


def test_the_folder_may_hold_other_things(tmp_path: Path) -> None:
    stored_run(tmp_path / "run")
    (tmp_path / "file.txt").write_text("no run")
    (tmp_path / "folder").mkdir()
    assert [run.name for run in Runs(tmp_path).all()] == ["run"]
    assert RunDir(tmp_path / "run").name == "run"

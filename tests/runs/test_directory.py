"""The folder of a run, and how it is found."""

from __future__ import annotations

import errno
import fcntl
import os
import re
from pathlib import Path

import pytest

from eureka_agent.errors import RunDirError
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.sqlite import claim


def made(runs: Path, name: str) -> RunDir:
    run = RunDir.create(runs, "cartpole", name)
    run.database.touch()
    return run


def test_the_default_name_has_date_and_task(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "new" / "runs", "pen spinning!")
    assert re.fullmatch(r"\d{8}-\d{6}-pen_spinning-[0-9a-f]{4}", run.name)
    assert run.prompt(2, 0).name == "generation_2.md"
    assert run.prompt(2, 1).name == "generation_2_retry_1.md"
    assert run.completion("g0c1").parent.is_dir()


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    made(tmp_path, "mine")
    with pytest.raises(RunDirError, match=r"exists already.*resume"):
        RunDir.create(tmp_path, "cartpole", "mine")


@pytest.mark.parametrize(
    "name",
    ["../up", "a b", "", "x" * 101, "ä" * 60, "a/b", "..", ".", "-x", ".hidden", "a\n", "a\0"],
)
def test_invalid_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunDirError, match="A run's name"):
        RunDir.create(tmp_path, "cartpole", name)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(RunDirError, match="choose another --runs-dir"):
        RunDir.create(tmp_path / "runs", "cartpole")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RunDirError, match=r"Cannot write to .*--runs-dir"):
        RunDir.create(tmp_path / "runs", "cartpole")


def test_a_folder_that_nobody_can_write_to() -> None:
    with pytest.raises(RunDirError, match=r"Cannot write to .*--runs-dir"):
        RunDir.create(Path("/proc/runs"), "cartpole")


def test_runs_are_found_by_path_name_and_start_of_name(tmp_path: Path) -> None:
    first, second = made(tmp_path, "aa-one"), made(tmp_path, "ab-two")
    assert RunDir.find(str(first.path), tmp_path) == first
    assert RunDir.find("ab-two", tmp_path) == second
    assert RunDir.find("ab", tmp_path) == second
    with pytest.raises(RunDirError, match="several runs: aa-one, ab-two"):
        RunDir.find("a", tmp_path)
    with pytest.raises(RunDirError, match=r"no run 'aa-onee'\. Did you mean 'aa-one'"):
        RunDir.find("aa-onee", tmp_path)
    with pytest.raises(RunDirError, match="There are no runs"):
        RunDir.find("x", tmp_path / "nowhere")


@pytest.mark.parametrize("lock", ["flock", "lockf"])
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_refused_and_gets_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str, number: int
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, lock, refuse)
    with pytest.raises(
        RunDirError,
        match=r"cannot lock files .* network file systems: choose a folder on a local disk",
    ):
        RunDir.create(tmp_path, "cartpole", "mine")
    assert not list(tmp_path.iterdir())
    with pytest.raises(RunDirError, match="cannot lock files"):
        claim(tmp_path / "run.db")


def test_the_home_folder_is_known_wherever_runs_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    run = made(Path("~/runs"), "mine")
    assert run.path == tmp_path / "runs" / "mine"
    assert RunDir.find("mine", Path("~/runs")) == run
    assert RunDir.find("~/runs/mine", Path("elsewhere")) == run
    assert RunDir.all_in(Path("~/runs")) == [run]

"""Tasks that are found in a folder of task folders, and through an entry point of a package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.config import TrainingBudget
from eureka_agent.errors import TaskError, UnknownTaskError
from eureka_agent.jail import Sandbox
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import stored_task
from eureka_agent.tasks import registry
from eureka_agent.tasks.registry import find_task, load_task, reference, task_names, tasks_in
from tests.support.own_task import write_task

BUDGET = TrainingBudget(8, 512)


def test_task_of_a_given_folder_is_found_by_name_and_description(tmp_path: Path) -> None:
    write_task(tmp_path / "pusher")
    (task,) = tasks_in(tmp_path)
    assert find_task("pusher", folder=tmp_path) is task
    assert find_task("Push the block to the mark.", folder=tmp_path) is task
    assert find_task("cartpole", folder=tmp_path).name == "cartpole"
    with pytest.raises(UnknownTaskError, match="No task is called 'pusher'"):
        find_task("pusher")


def test_task_of_a_given_folder_is_kept_by_its_path(tmp_path: Path) -> None:
    folder = write_task(tmp_path / "pusher")
    task = find_task("pusher", folder=tmp_path)
    assert reference(task) == str(folder / "task.py")
    assert stored_task(task, BUDGET).kept == "file"


def test_run_on_a_task_of_a_given_folder_keeps_the_path_of_its_code(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    folder = write_task(tmp_path / "mine" / "pusher")
    config = ea.SynthesisConfig.of(
        task="pusher",
        task_path=tmp_path / "mine",
        budget="quick",
        generations=1,
        samples=1,
        runs_dir=tmp_path / "runs",
    )
    result = ea.synthesize(config, sandbox=sandbox)
    assert result.task.name == "pusher"
    with Store.open(RunDir(result.path).database, writable=False) as store:
        assert store.config.task.task == str(folder / "task.py")
        assert store.config.task.task_path is None
        assert store.task.kept == "file"


def test_folder_without_tasks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownTaskError, match="has no task: each is a folder"):
        tasks_in(tmp_path)
    with pytest.raises(UnknownTaskError, match=r"There is no folder .*nowhere"):
        find_task("pusher", folder=tmp_path / "nowhere")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, searched first."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    registry._entry_points.cache_clear()
    load_task.cache_clear()


def package(folder: Path, name: str, value: str) -> None:
    write_task(folder / "rail_tasks")
    (folder / "rail_tasks" / "__init__.py").touch()
    info = folder / "rail_tasks-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rail-tasks\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[eureka_agent.tasks]\n{name} = {value}\n")
    registry._entry_points.cache_clear()
    load_task.cache_clear()


def test_task_of_an_installed_package_is_found_and_kept_by_name(install: Path) -> None:
    package(install, "pusher", "rail_tasks.task:TASK")
    task = find_task("push the block to the mark")
    assert task.name == "pusher"
    assert "pusher" in task_names()
    assert reference(task) == "pusher"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("pusher", "rail_tasks.nothing:TASK", "rail_tasks.nothing.*it cannot be loaded"),
        ("pusher", "rail_tasks.task:BUDGETS", "must be a Task object, but it is a dict"),
        ("slider", "rail_tasks.task:TASK", "its task has the name 'pusher': it must be 'slider'"),
    ],
)
def test_entry_point_that_is_wrong_is_named(
    install: Path, name: str, value: str, says: str
) -> None:
    package(install, name, value)
    with pytest.raises(TaskError, match=says):
        load_task(name)
    assert name in registry.broken_tasks()
    assert find_task("cartpole").name == "cartpole"

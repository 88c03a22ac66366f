"""Runs from Python: paths as text, threads, notebooks, too little memory, the result's repr."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import eureka_agent as ea
from eureka_agent.cli.main import main
from eureka_agent.errors import OutOfMemoryError
from eureka_agent.jail import Sandbox
from eureka_agent.records import Generation
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator


def config(folder: Path, **changes: object) -> ea.SynthesisConfig:
    settings: dict[str, object] = {
        "task": "cartpole", "budget": "quick", "generations": 2, "samples": 2, "num_envs": 8,
        "environment_steps": 512, "baselines": False, "repairs": 0, "runs_dir": str(folder), "run_name": "mine",
    }  # fmt: skip
    return ea.SynthesisConfig.of(**(settings | changes))  # type: ignore[arg-type]


def in_a_thread(work: Callable[[], object]) -> object:
    """Call `work` in another thread; return or raise as it does."""
    results: list[object] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  raised again below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def test_a_run_takes_paths_as_text_and_its_result_has_a_short_repr(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    result = ea.synthesize(config(tmp_path), sandbox=sandbox)
    again = ea.resume(str(tmp_path / "mine"), sandbox=sandbox)
    assert again.best == result.best
    assert len(repr(result)) < 300
    assert (
        f"task='cartpole', best='{result.best.candidate.name}" in repr(result)
        if result.best
        else True
    )
    assert ea.Policy.load(str(result.path / "policy.safetensors")).sizes[0] == 4


def test_evolve_continues_in_another_thread_and_releases_the_run(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    generations = ea.evolve(config(tmp_path), sandbox=sandbox)
    first = next(generations)
    second = in_a_thread(lambda: next(generations))
    assert isinstance(second, Generation)
    assert (first.index, second.index) == (0, 1)
    assert in_a_thread(lambda: list(generations)) == []
    with Store.open(RunDir(tmp_path / "mine").database) as store:  # its lock is free
        assert store.finished


def test_the_command_line_works_in_a_thread(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = [
        "synthesize",
        "--task",
        "cartpole",
        "--generations",
        "1",
        "--samples",
        "1",
        "--num-envs",
        "8",
    ]
    args += ["--environment-steps", "256", "--no-baselines", "--runs-dir", str(tmp_path)]
    assert in_a_thread(lambda: main(args)) == 0
    assert "Best reward" in capsys.readouterr().out


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imitate a notebook's kernel."""
    module = ModuleType("IPython")
    module.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)


@pytest.mark.usefixtures("notebook")
def test_a_notebook_shows_progress_without_a_listener(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    ea.synthesize(config(tmp_path, generations=1), sandbox=sandbox)
    text = capsys.readouterr().out
    assert "Generation g0 (1 of 1): asking for 2 rewards." in text
    assert "The trainings take " in text
    assert "Best reward: g0c" in text


def test_a_script_shows_nothing_without_a_listener(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    ea.synthesize(config(tmp_path, generations=1), sandbox=sandbox)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you"
            " tried to"
        ),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_too_little_memory_says_which_option_to_lower(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(Evaluator, "train", fail)
    with pytest.raises(
        OutOfMemoryError, match=r"lower --num-envs \(now 8\) or --samples \(now 2\)"
    ) as raised:
        ea.synthesize(config(tmp_path), sandbox=sandbox)
    assert raised.value.__cause__ is error


def test_another_error_of_the_trainer_is_not_changed(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(Evaluator, "train", fail)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        ea.synthesize(config(tmp_path), sandbox=sandbox)

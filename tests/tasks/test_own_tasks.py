"""A user's own task: how it is found, the message for each mistake, and what a run stores of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.cli.main import main
from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import TaskError, UnknownTaskError, UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.simulation.task_check import check_task, checked_task
from eureka_agent.tasks.registry import all_tasks, find_task
from tests.support.own_task import HUMAN_REWARD, write_task
from tests.support.toy_task import ToyTask


def test_the_check_takes_less_than_a_second(tmp_path: Path) -> None:
    task = find_task(write_task(tmp_path / "pusher"))
    started = time.process_time()
    check_task(task)
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize("task", [*all_tasks(), ToyTask()], ids=lambda task: task.name)
def test_good_tasks_pass(task: ea.Task) -> None:
    check_task(task)


# ---------------------------------------------------------------------- finding it
def test_path_is_a_folder_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_task(tmp_path / "pusher")
    monkeypatch.chdir(tmp_path)
    found = [
        find_task(path)
        for path in (folder, str(folder), "./pusher", "pusher/task.py", folder / "task.py")
    ]
    assert {task.name for task in found} == {"pusher"}
    assert {task.file for task in found} == {folder / "task.py"}
    with pytest.raises(UnknownTaskError, match="There is a folder of this name here"):
        find_task("pusher")
    with pytest.raises(UnknownTaskError, match=f"There is no file {tmp_path}/nowhere"):
        find_task("./nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnknownTaskError, match=r"There is no file .*/empty/task.py"):
        find_task("./empty")
    with pytest.raises(UnknownTaskError, match="No task is called 'spin left/right'"):
        find_task("spin left/right")


def test_path_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_task(tmp_path / "cartpole")
    assert find_task("./cartpole").name == "pusher"
    assert find_task("cartpole").name == "cartpole"


def test_task_may_import_files_of_its_folder_relatively(tmp_path: Path) -> None:
    for number, line in enumerate(
        ("from .marks import NEAR", "from . import marks\nNEAR = marks.NEAR")
    ):
        code = "import torch\n"
        folder = write_task(tmp_path / str(number), code, f"{code}{line}\n")
        (folder / "marks.py").write_text("NEAR = 0.2\n")
        assert checked_task(folder).name == "pusher"
    folder = write_task(tmp_path / "absolute", "import torch\n", "import torch\nimport marks\n")
    (folder / "marks.py").write_text("NEAR = 0.2\n")
    with pytest.raises(TaskError, match="import files of its folder relatively"):
        find_task(folder)


def test_file_that_was_edited_is_loaded_again(tmp_path: Path) -> None:
    folder = write_task(tmp_path / "pusher")
    first = find_task(folder)
    assert find_task(folder) is first
    code = (folder / "task.py").read_text()
    (folder / "task.py").write_text(code.replace("push the block to the mark", "push it"))
    assert find_task(folder).description == "push it"


# ---------------------------------------------------------------------- runs with it
def config(tmp_path: Path, task: object, **changes: object) -> SynthesisConfig:
    settings: dict[str, object] = {
        "generations": 1,
        "samples": 1,
        "budget": "quick",
        "runs_dir": tmp_path / "runs",
    }
    return SynthesisConfig.of(task=task, run_name="run", **(settings | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def shown(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert main(args) == 0
    return " ".join(capsys.readouterr().out.split())


def test_run_stores_the_path_and_resumes_only_when_it_is_given_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, sandbox: Sandbox
) -> None:
    """The run's folder alone shows the whole run, and no code of the task is run for it."""
    ran = tmp_path / "ran"
    count = f"import torch\n\nwith open({str(ran)!r}, 'a') as file:\n    file.write('x')\n"
    folder = write_task(tmp_path / "pusher", "import torch\n", count)
    result = ea.synthesize(config(tmp_path, folder), sandbox=sandbox)
    assert {baseline.name for baseline in result.baselines} == {"human", "sparse", "random"}
    (folder / "task.py").write_text((folder / "task.py").read_text() + "\n")
    before = ran.read_text()
    run = str(result.path)
    assert "pusher: push the block to the mark" in shown(capsys, "show", run)
    assert "pusher" in shown(capsys, "runs", str(tmp_path / "runs"))
    assert "# push the block to the mark" in shown(capsys, "export", run, "--example")
    assert main(["resume", run]) == 2
    message = capsys.readouterr().err
    assert str(folder / "task.py") in message
    assert "give its path again with --task PATH" in message
    assert main(["resume", run, "--task", "cartpole"]) == 2
    assert "The run's task is 'pusher', but 'cartpole' was given" in capsys.readouterr().err
    assert ran.read_text() == before
    resumed = ea.resume(result.path, task=folder, sandbox=sandbox)
    assert ran.read_text() == before + "x"
    assert resumed.best is not None
    assert result.best is not None
    assert resumed.best.fitness == result.best.fitness


def test_code_at_a_stored_path_is_never_run(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = write_task(tmp_path / "pusher")
    result = ea.synthesize(config(tmp_path, folder, baselines=False), sandbox=sandbox)
    marker = tmp_path / "ran"
    (folder / "task.py").write_text(f"open({str(marker)!r}, 'w')\n")
    with Store.open(RunDir(result.path).database) as store:
        facts = store.task
    for kept in ("envs", "object"):
        with Store.open(RunDir(result.path).database) as store:
            store.save_task(replace(facts, kept=kept))
        with pytest.raises(UsageError, match="give its path again with --task PATH"):
            ea.resume(result.path, sandbox=sandbox)
    assert not marker.exists()


def test_task_whose_state_changed_is_not_resumed(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = write_task(tmp_path / "pusher")
    result = ea.synthesize(config(tmp_path, folder, baselines=False), sandbox=sandbox)
    code = (folder / "task.py").read_text()
    (folder / "task.py").write_text(code.replace("block_speed", "block_velocity"))
    with pytest.raises(UsageError, match="has this name but another state"):
        ea.resume(result.path, task=folder, sandbox=sandbox)


def test_task_object_is_stored_as_its_file_or_must_be_given_again(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    task = find_task(write_task(tmp_path / "pusher"))
    result = ea.synthesize(config(tmp_path, task, baselines=False), sandbox=sandbox)
    with Store.open(RunDir(result.path).database, writable=False) as store:
        assert store.config.task.task == str(tmp_path / "pusher" / "task.py")
    for number, other in enumerate((type(task)(), ToyTask())):
        settings = config(tmp_path, other, baselines=False, num_envs=4, environment_steps=64)
        result = ea.synthesize(settings.replaced(run_name=f"object{number}"), sandbox=sandbox)
        with pytest.raises(
            UsageError, match=r"a Task object that is not in a file: .*ea.resume\(run, task=TASK\)"
        ):
            ea.resume(result.path, sandbox=sandbox)
        assert ea.resume(result.path, task=other, sandbox=sandbox).best is not None


def test_task_object_of_the_library_is_stored_as_its_name(tmp_path: Path, sandbox: Sandbox) -> None:
    settings = config(
        tmp_path, find_task("cartpole"), baselines=False, num_envs=8, environment_steps=512
    )
    result = ea.synthesize(settings, sandbox=sandbox)
    assert ea.resume(result.path, sandbox=sandbox).task.name == "cartpole"


def test_instruction_on_the_scene_of_an_own_task(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = write_task(tmp_path / "pusher")
    settings = config(
        tmp_path, "push the block away from the mark", env=folder, feedback="synthetic"
    )
    result = ea.synthesize(settings, sandbox=sandbox)
    prompt = (result.path / "prompts" / "generation_0.md").read_text()
    assert "push the block away from the mark" in prompt
    assert 'return torch.stack((state["block_x"]' in prompt  # the code of the observation
    assert "def fitness" not in prompt
    assert ea.resume(result.path, task=folder, sandbox=sandbox).best is not None


def test_generator_takes_a_task_object_and_a_path(tmp_path: Path) -> None:
    folder = write_task(tmp_path / "pusher")
    for task in (folder, str(folder), find_task(folder)):
        (reward,) = ea.RewardGenerator(task).generate()
        assert "def compute_reward" in reward.source


def test_check_and_evaluate_take_a_path(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = write_task(tmp_path / "pusher")
    reward, task = str(folder / "human_reward.py"), str(folder)
    assert "is a valid reward function for pusher" in shown(capsys, "check", reward, "--task", task)
    (folder / "human_reward.py").rename(folder / "mine.py")
    text = shown(capsys, "evaluate", str(folder / "mine.py"), "--task", task, "--budget", "quick")
    assert "The task has no human reward, so there is no human-normalised score" in text


def test_run_without_a_human_reward_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, sandbox: Sandbox
) -> None:
    folder = write_task(tmp_path / "pusher", human_reward=None)
    args = [
        "--generations",
        "1",
        "--samples",
        "1",
        "--quick",
        "--final-seeds",
        "1",
        "--runs-dir",
        str(tmp_path),
    ]
    text = shown(capsys, "synthesize", "--task", str(folder), *args, "--run-name", "run")
    # First and last.
    assert text.count("The task has no human reward, so there is no human-normalised score") == 2
    assert "With 1 other training seed (interquartile mean, 95 % interval): best" in text
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["baselines"].keys() == {"sparse", "random"}
    assert summary["human_normalised"] is None
    assert summary["final"].keys() >= {"best", "sparse"}
    assert "human" not in summary["final"]
    assert "human" not in shown(capsys, "show", str(tmp_path / "run")).replace("no human", "")
    assert (
        main(
            [
                "synthesize",
                "--task",
                str(folder),
                "--initial-reward",
                "human",
                "--model",
                "m",
                *args,
            ]
        )
        == 2
    )
    assert "The task 'pusher' has no human reward: write one" in " ".join(
        capsys.readouterr().err.split()
    )


def test_human_reward_that_fails_on_samples_is_refused_before_anything_is_written(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    breaks = HUMAN_REWARD.replace("return -distance,", "return -distance / 0.0 * 0.0,")
    with pytest.raises(
        TaskError, match=r"human_reward.py: it is not a valid reward function for pusher: .*NaN"
    ):
        ea.synthesize(
            config(tmp_path, write_task(tmp_path / "pusher", human_reward=breaks)), sandbox=sandbox
        )
    assert not (tmp_path / "runs").exists()


def test_mistake_that_shows_only_in_training_is_named_as_well(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    late = (
        "if len(state['block_x']) > 3: raise RuntimeError('too many')\n        return torch.stack("
    )
    folder = write_task(tmp_path / "pusher", "return torch.stack(", late)
    with pytest.raises(
        TaskError, match=r"task.py:\d+: observation\(\) failed: RuntimeError: too many"
    ):
        ea.synthesize(config(tmp_path, folder), sandbox=sandbox)


def test_error_of_a_listener_passes_unchanged(tmp_path: Path, sandbox: Sandbox) -> None:
    def stop(event: object) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        ea.synthesize(
            config(tmp_path, write_task(tmp_path / "pusher")), sandbox=sandbox, listener=stop
        )


def test_broken_task_ends_with_one_sentence_and_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = write_task(tmp_path / "pusher", "def fitness(", "def fitnes(")
    for command in (["synthesize"], ["check", "reward.py"], ["evaluate", "reward.py"]):
        assert main([*command, "--task", str(folder)]) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith(f"error: {folder / 'task.py'}:")
        assert "Traceback" not in captured.err

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
from eureka_agent.training.budgets import budgets_of
from tests.support.own_task import HUMAN_REWARD, MODEL, line_of, write_task
from tests.support.toy_task import ToyTask

SPEED = 'StateVariable("block_speed", (), "m/s", "world", "how fast it moves", kind="speed")'
SPEED_STATE = '            "block_speed": physics.qvel[:, 0],\n'
OBSERVATION = 'torch.stack((state["block_x"], state["block_speed"], state["mark_x"]), dim=1)'
START = 'InitialState(random.uniform(-1.0, 1.0, 1), random.normal(0.1, 1), episode_state={"mark": mark})'
LOAD = 'load_xml(Path(__file__).with_name("rail.xml"))'
ENDED = 'state["block_x"].abs() > 1.9'
FITNESS = "def fitness(self, state, episode_state)"

FAR = "StateVariable('far', (), 'm', '-', 'far off')"


def method(name: str, parameters: str, result: str) -> str:
    """Write another method before the fitness."""
    return f"def {name}(self, {parameters}): return {result}\n    {FITNESS}"


MISTAKES = [
    # the text, what replaces it, the line that is named (of the unchanged text), the message
    ("TASK = Pusher()\n", "", 1, "defines no TASK: end it with TASK = YourTask()"),
    ("TASK = Pusher()", "TASK = Pusher", "TASK = Pusher", "TASK is the class Pusher: write TASK = Pusher()"),
    ("TASK = Pusher()", "TASK = 3", "TASK = Pusher", "its TASK is of type int"),
    ("import torch\n", "import torhc\n", "import torch", "ModuleNotFoundError: No module named 'torhc'"),
    ("def build(self):", "def build(self:", "def build", "SyntaxError"),
    ("def fitness(", "def fitnes(", "TASK = Pusher()", "abstract method '?fitness"),
    ("class Pusher(MujocoTask)", "class Pusher(Tusk)", "class Pusher", "NameError: name 'Tusk'"),
    # attributes
    ('    name = "pusher"\n', "", "class Pusher", "Pusher has no name: set it to"),
    ("    frame_skip = 2\n", "", "class Pusher", "frame_skip must be a whole number .* but it is None"),
    ("frame_skip = 2", "frame_skip = 0", "frame_skip", "frame_skip must be a whole number .* but it is 0"),
    ("max_episode_steps = 50", "max_episode_steps = 5e1", "max_episode_steps", "whole number .* it is 50.0"),
    ("fitness_solved = 30", "fitness_solved = '30'", "fitness_solved", "fitness_solved must be a finite number"),
    ('action_names = ("push",)', 'action_names = ("push")', "action_names", "a tuple of different texts, .* is 'push'"),
    ('action_names = ("push",)', 'action_names = ("push", "pull")', "action_names", "2 entries and the model 1 act"),
    ('    name = "pusher"\n', '    name = "pusher"\n    aliases = "block"\n', "description", "aliases must be a tuple"),
    ("frame_skip = 2", "observation_size = 4; frame_skip = 2", "frame_skip", "is 4, but .* has 3 entries: make them"),
    # the budgets
    ('"paper": TrainingBudget(num_envs=16, environment_steps=8192),', "", "BUDGETS = {", r"BUDGETS\['paper'\] must be"),
    ("num_envs=8, environment_steps=512", "num_envs=0, environment_steps=512", "BUDGETS = {", "num_envs of BUDGETS"),
    ("environment_steps=512", "environment_steps=5e5", "BUDGETS = {", "environment_steps of BUDGETS.*500000.0"),
    ("num_envs=8, environment_steps=512", "1, 512, horizon=2", "BUDGETS = {", "4 minibatches for num_envs x horizon"),
    ("environment_steps=512", "environment_steps=512, hidden=64", "BUDGETS = {", "hidden of BUDGETS"),
    # the state's spec
    (SPEED, f"*[{SPEED}] * 2", "state_spec", "'block_speed' needs a Python name that is used once"),
    (SPEED, SPEED.replace("block_speed", "action"), "state_spec", "'action' needs a Python name"),
    (SPEED, SPEED.replace("()", "3"), "state_spec", "has the shape 3: write a tuple"),
    (SPEED, SPEED.replace('"speed"', '"sped"'), "state_spec", "has the kind 'sped': take one of position"),
    (SPEED, SPEED.replace('"speed"', '"position"'), "state_spec", r"has the shape \(\), but a position has 3"),
    ('goal_for="block_x"', 'goal_for="blok"', "state_spec", "is the goal for 'blok', which must be another"),
    ("variables=(", f"unlisted=({FAR},), variables=(", "class Pusher", "lists 'far' as unlisted but has no unlisted_state"),
    # what the methods return
    (LOAD, "None", "def build", r"build\(\) returns nothing: return a mujoco.MjSpec"),
    ("rail.xml", "no_rail.xml", LOAD, r"build\(\) failed: Cannot read the model .*no_rail.xml"),
    (START, START.replace("InitialState", "tuple", 1), "return InitialState", r"initial_state\(\) failed: TypeError"),
    (START, START.replace("1.0, 1)", "1.0, 2)"), "def initial_state", r"qpos as float32 of shape \(3, 2\): .*\(3, 1\)"),
    (START, START.replace("mark}", "0.5}"), "def initial_state", "has 'mark' in its episode state as a value of type float"),
    (SPEED_STATE, "", "def state", r"state\(\) returns no block_speed: return it, or remove it from state_spec"),
    (SPEED_STATE, SPEED_STATE.replace("_speed", "_sped"), "def state", r"state\(\) returns no block_speed"),
    (SPEED_STATE, f'{SPEED_STATE}"more": physics.qvel,\n', "def state", "returns more: name it in"),
    ("physics.qvel[:, 0]", "physics.qvel", "def state", r"'block_speed' as float32 of shape \(3, 1\): .*shape \(3,\)"),
    ("physics.qvel[:, 0]", "physics.qvel[:, 0].double()", "def state", "as float64 of shape .*: make it float32"),
    ("physics.qvel[:, 0]", "physics.qvel[:, 0] / 0.0", "def state", "'block_speed' with numbers that are not finite"),
    ("physics.qvel[:, 0]", "physics.sensor('imu')", SPEED_STATE.strip(), r"state\(\) failed: KeyError"),
    (OBSERVATION, 'state["block_x"]', "def observation", r"observation\(\) returns float32 of shape \(3,\): return"),
    (OBSERVATION, f"{OBSERVATION}.double()", "def observation", "float64 .* make it float32"),
    (OBSERVATION, "state['blok_x']", OBSERVATION, r"observation\(\) failed: KeyError: 'blok_x'"),
    (ENDED, 'state["block_x"].abs()', "def terminated", "the ends as float32 .* make it bool"),
    (ENDED, "False", "def terminated", r"terminated\(\) returns the ends as a value of type bool"),
    (".abs() < 0.2).float()", ".abs() < 0.2)", "def fitness", "the fitness as bool .* make it float32"),
    (".abs() < 0.2).float()", ".abs() < 0.2).float().mean()", "def fitness", r"as float32 of shape \(\)"),
    ("def fitness(self, state, episode_state)", "def fitness(self, state)", "def fitness", r"fitness\(\) failed: TypeError"),
    # methods that a task need not have
    (FITNESS, method("control", "action, episode_state", "action[:, 0]"), FITNESS, "the controls as float32"),
    (FITNESS, method("update_episode_state", "physics, episode_state", "{}"), FITNESS, "do not both have mark"),
    (FITNESS, method("privileged", "state, episode_state", "3"), FITNESS, "returns a value of type int: return a tensor"),
    (FITNESS, method("measures", "state, episode_state", "3"), FITNESS, "return a dictionary"),
    (FITNESS, method("sparse_reward", "state, episode_state", "1 / 0"), FITNESS, "ZeroDivisionError"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    MISTAKES,
    ids=[f"{n}-{s[3][:30]}" for n, s in enumerate(MISTAKES)],
)
def test_mistake_in_a_task_is_one_sentence_with_file_line_and_what_to_do(
    tmp_path: Path, old: str, new: str, line: str | int, says: str
) -> None:
    folder = write_task(tmp_path / "pusher", old, new)
    number = line_of(line) if isinstance(line, str) else line
    with pytest.raises(TaskError, match=says) as error:
        budgets_of(checked_task(folder))
    message = str(error.value)
    assert message.startswith(f"{folder / 'task.py'}:{number}: ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("<mujoco><worldbody>", r"task.py:\d+: build\(\) failed: Cannot read the model .*rail.xml"),
        (MODEL.replace('joint="rail"', 'joint="rali"'), r"task.py:\d+: build\(\) failed: .*rali"),
        (
            MODEL.replace(' ctrlrange="-5 5"', ""),
            r"task.py:\d+: the actuators of push have no ctrlrange",
        ),
        (MODEL.replace('mass="1"', 'mass="0"'), r"task.py:\d+: build\(\) failed: .*mass"),
    ],
)
def test_model_that_cannot_be_used_is_named(tmp_path: Path, model: str, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        checked_task(write_task(tmp_path / "pusher", model=model))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            "def compute_reward(block_x:\n",
            "human_reward.py: it is not a valid reward function for pusher",
        ),
        (
            HUMAN_REWARD.replace("mark_x", "mark"),
            "human_reward.py: it is not a valid reward function for pusher: .*'mark'",
        ),
        (
            "import os\n" + HUMAN_REWARD,
            "human_reward.py: it is not a valid reward function for pusher: .*os",
        ),
    ],
)
def test_file_that_is_not_a_human_reward_is_named(tmp_path: Path, code: str, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        checked_task(write_task(tmp_path / "pusher", human_reward=code))


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
    return SynthesisConfig(task=task, run_name="run", **(settings | changes))  # type: ignore[arg-type]


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
    assert (
        "The run's task is 'pusher', and the one that is given is 'cartpole'"
        in capsys.readouterr().err
    )
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
    with pytest.raises(UsageError, match="its state is another by now"):
        ea.resume(result.path, task=folder, sandbox=sandbox)


def test_task_object_is_stored_as_its_file_or_must_be_given_again(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    task = find_task(write_task(tmp_path / "pusher"))
    result = ea.synthesize(config(tmp_path, task, baselines=False), sandbox=sandbox)
    with Store.open(RunDir(result.path).database, writable=False) as store:
        assert store.config.task == str(tmp_path / "pusher" / "task.py")
    for number, other in enumerate((type(task)(), ToyTask())):
        settings = config(tmp_path, other, baselines=False, num_envs=4, environment_steps=64)
        result = ea.synthesize(replace(settings, run_name=f"object{number}"), sandbox=sandbox)
        with pytest.raises(
            UsageError, match=r"a Task object that is in no file: .*ea.resume\(run, task=TASK\)"
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
    assert "is a reward function for pusher" in shown(capsys, "check", reward, "--task", task)
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
        TaskError, match=r"human_reward.py: it is no reward function for pusher: .*NaN"
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

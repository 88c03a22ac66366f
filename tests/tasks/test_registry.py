"""Finding a task by its name, an alias or its exact description; any other text is refused."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from eureka_agent.cli.main import main
from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import TaskError, UnknownTaskError, UsageError
from eureka_agent.tasks.registry import (
    all_tasks,
    broken_tasks,
    find_task,
    load_task,
    near_tasks,
    task_names,
)
from eureka_agent.utils.did_you_mean import alias_used, normalised


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("pen spinning", "pen_spinning"),
        ("Pen-Spinning", "pen_spinning"),
        ("PenSpinning", "pen_spinning"),
        ("ＰＥＮ＿ＳＰＩＮＮＩＮＧ", "pen_spinning"),
        ("spin the pen", "pen_spinning"),
        ("ShadowHandSpin", "pen_spinning"),
        ("make the hopper hop forward!", "hopper_forward"),
        ("Hopper-v5", "hopper_forward"),
        ("hopper", "hopper_forward"),
        ("cart pole", "cartpole"),
        ("Isaac-Cartpole-Direct-v0", "cartpole"),
        ("ant run forward", "ant_forward"),
        ("Make the ant run forward, as fast as possible.", "ant_forward"),
        ("Ant-v5", "ant_forward"),
        ("Isaac-Ant-v0", "ant_forward"),
        ("BallBalance", "ball_balance"),
        ("balance the ball", "ball_balance"),
    ],
)
def test_names_aliases_and_descriptions_find_their_task_in_any_spelling(
    words: str, name: str
) -> None:
    assert find_task(words).name == name


@pytest.mark.parametrize(
    ("instruction", "near"),
    [
        ("make the ant run backward", "ant_forward"),
        ("make the ant run forward as slowly as possible", "ant_forward"),
        ("make the ant stop", "ant_forward"),
        ("spin the pen clockwise", "pen_spinning"),
        (
            "make the shadow hand spin the pen clockwise about the vertical without dropping it",
            "pen_spinning",
        ),
        ("do not spin the pen", "pen_spinning"),
        ("open the pen's cap", "pen_spinning"),
        ("cart pole swingup", "cartpole"),
        ("CartPole-v1", "cartpole"),
        ("InvertedDoublePendulum-v5", "inverted_pendulum_balance"),
        ("keep the ball off the table top", "ball_balance"),
        ("hopper, hop", "hopper_forward"),
    ],
)
def test_text_that_resembles_a_task_is_refused_with_the_command_for_its_scene(
    instruction: str, near: str
) -> None:
    with pytest.raises(UnknownTaskError) as error:
        find_task(instruction)
    message = str(error.value)
    assert f"Did you mean '{near}'" in message
    assert f'--env {near} --task "{instruction}"' in message


@pytest.mark.parametrize(
    "words",
    [
        "fold a shirt",
        "???",
        "让机械手转笔",
        "倒立摆",
        "🤖",
        "faire tourner un stylo",
        "submarine",
        "a",
        "x" * 9000,
    ],
)
def test_text_that_resembles_no_task_is_refused_with_the_list(words: str) -> None:
    with pytest.raises(
        UnknownTaskError, match=r"No task is called .* --env NAME .*Tasks: ant_forward"
    ) as error:
        find_task(words)
    assert "empty" not in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("words", ["", "  "])
def test_empty_text_is_refused_as_empty(words: str) -> None:
    with pytest.raises(UnknownTaskError, match="The task is empty"):
        find_task(words)


def test_spellings_of_one_text_are_the_same_and_other_texts_are_not() -> None:
    assert {
        normalised(text)
        for text in ("pen_spinning", "Pen-Spinning", "PenSpinning", " pen  spinning! ")
    } == {"penspinning"}
    assert normalised("Straße") == normalised("STRASSE")
    assert (
        len({normalised(text) for text in ("让机械手转笔", "倒立摆", "🤖", "🦾", "стой", "ант")})
        == 6
    )
    assert normalised("?!_-") == ""


def test_text_that_is_an_alias_of_two_tasks_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    hopper, ant = load_task("hopper_forward"), load_task("ant_forward")
    monkeypatch.setattr(type(hopper), "aliases", ("run forward fast",))
    monkeypatch.setattr(type(ant), "aliases", ("run forward fast",))
    with pytest.raises(UnknownTaskError, match="'ant_forward' or 'hopper_forward'"):
        find_task("run forward fast")


def test_similar_tasks_are_found_by_words_and_by_spelling() -> None:
    near = [task.name for task in near_tasks("run forward", all_tasks())]
    assert near == ["ant_forward", "humanoid_forward", "half_cheetah_forward"]
    assert [task.name for task in near_tasks("make the ant stop", all_tasks())] == ["ant_forward"]
    assert [task.name for task in near_tasks("cartpol", all_tasks())] == ["cartpole"]
    with pytest.raises(UnknownTaskError, match="Did you mean 'cartpole'"):
        find_task("cartpol")


def test_every_name_and_alias_finds_its_own_task() -> None:
    assert len(task_names()) >= 5
    for task in all_tasks():
        for words in (task.name, task.name.replace("_", " "), task.description, *task.aliases):
            assert find_task(words) is task
            assert find_task(words.upper()) is task


def test_alias_is_kept_in_the_users_own_spelling() -> None:
    ball = load_task("ball_balance")
    assert alias_used("balance the ball!", ball) == "balance the ball!"
    for words in (
        "Ball-Balance",
        ball.description,
        f"{ball.description.capitalize()}.",
        "/some/where/task.py",
    ):
        assert alias_used(words, ball) == ""
    assert SynthesisConfig.of(task="balance the ball").task.asked_as(ball) == "balance the ball"
    instruction = SynthesisConfig.of(task="balance the ball", env="ball_balance")
    assert (instruction.task.asked_as(ball), instruction.task.instruction(ball)) == (
        "",
        "balance the ball",
    )


@pytest.mark.parametrize("command", ["check", "evaluate"])
def test_reward_cannot_be_checked_for_an_instruction_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    assert main([command, str(tmp_path / "reward.py"), "--task", "make the ant run backward"]) == 2
    message = capsys.readouterr().err
    assert "Did you mean 'ant_forward'" in message
    assert "name the task of its scene" in message
    assert "--env" not in message


# ---------------------------------------------------------------------- the folder envs/
@pytest.fixture
def envs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that counts as a part of `envs/` for a test."""
    package = importlib.import_module("eureka_agent.envs")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    return tmp_path


@pytest.mark.parametrize(
    ("name", "code", "why"),
    [
        ("imports_nothing", "import nowhere", "ModuleNotFoundError"),
        ("is_no_python", "def broken(:", "SyntaxError"),
        ("leaves", "raise SystemExit(3)", "SystemExit"),
        ("has_no_task", "x = 1", "defines no TASK"),
        ("is_empty", None, "has no task.py"),
    ],
)
def test_broken_task_folder_is_listed_with_the_reason_and_affects_no_other_task(
    capsys: pytest.CaptureFixture[str], envs: Path, name: str, code: str | None, why: str
) -> None:
    folder = envs / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    if code is not None:
        (folder / "task.py").write_text(code)
    assert "cartpole" in {task.name for task in all_tasks()}
    assert folder.name not in {task.name for task in all_tasks()}
    assert find_task("cart pole").name == "cartpole"
    assert why in broken_tasks()[folder.name]
    assert str(folder) in broken_tasks()[folder.name]
    with pytest.raises(TaskError, match=why):
        find_task(folder.name)
    assert main(["tasks"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "pen_spinning" in out
    assert f"{folder.name} is broken:" in out


def test_copied_folder_must_change_its_tasks_name(envs: Path) -> None:
    copy = envs / "my_cart"
    copy.mkdir()
    (copy / "task.py").write_text(
        "from eureka_agent.envs.cartpole.task import Cartpole\n\nTASK = Cartpole()\n"
    )
    assert find_task("cartpole").name == "cartpole"
    with pytest.raises(
        TaskError, match=r"my_cart/task.py: its task has the name 'cartpole'.*'my_cart'"
    ):
        find_task("my_cart")


def test_value_that_is_not_a_task_is_refused() -> None:
    for wrong in (3, None, type(load_task("cartpole"))):
        with pytest.raises(UsageError, match="a name, a path or a Task object, got"):
            find_task(wrong)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="a name, a path or a Task object, got"):
            SynthesisConfig.of(task=wrong)  # type: ignore[arg-type]

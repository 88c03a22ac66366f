"""From words to a task: a clear answer, or none."""

from __future__ import annotations

import pytest

from eureka_agent.errors import UnknownTaskError
from eureka_agent.registry import all_tasks, find_task, load_task, task_names


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("pen spinning", "pen_spinning"),
        ("Pen-Spinning", "pen_spinning"),
        ("spin the pen", "pen_spinning"),
        ("spin a pen in the shadow hand", "pen_spinning"),
        ("make the hopper hop forward", "hopper_forward"),
        ("cart pole", "cartpole"),
        ("ant run forward", "ant_forward"),
        ("hopper", "hopper_forward"),
        ("balance the ball", "ball_balance"),
    ],
)
def test_words_that_mean_a_task(words: str, name: str) -> None:
    assert find_task(words).name == name


@pytest.mark.parametrize("words", ["open the pen's cap", "fold a shirt", "forward", "balance", "spin", "hand", "???"])
def test_words_that_mean_none_or_several(words: str) -> None:
    with pytest.raises(UnknownTaskError, match="Tasks: ant_forward"):
        find_task(words)


def test_words_that_fit_two_tasks_name_both(monkeypatch: pytest.MonkeyPatch) -> None:
    hopper, ant = load_task("hopper_forward"), load_task("ant_forward")
    monkeypatch.setattr(type(hopper), "aliases", ("run forward fast",))
    monkeypatch.setattr(type(ant), "aliases", ("run forward fast",))
    with pytest.raises(UnknownTaskError, match="'ant_forward' or 'hopper_forward'"):
        find_task("run forward fast")
    with pytest.raises(UnknownTaskError, match="could mean 'ant_forward' or 'hopper_forward'"):
        find_task("run fast")


def test_near_names() -> None:
    with pytest.raises(UnknownTaskError, match="Did you mean 'cartpole'"):
        find_task("cartpol")


def test_every_name_and_alias_finds_its_own_task() -> None:
    assert len(task_names()) >= 5
    for task in all_tasks():
        for words in (task.name, task.name.replace("_", " "), task.description, *task.aliases):
            assert find_task(words) is task

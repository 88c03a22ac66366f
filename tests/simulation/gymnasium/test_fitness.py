"""The fitness of Gymnasium environments: rules from texts, and sums over episodes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from eureka_agent.errors import TaskError, UsageError
from eureka_agent.simulation.gymnasium import FitnessRule, fitness_rule

NAN = math.nan


def episode(rule: FitnessRule, values: list[float]) -> float:
    """Return the fitness of one episode, whose environment had another episode before."""
    remembered, total = torch.tensor([123.0]), 0.0
    for step, value in enumerate(values):
        added, remembered = rule.added(torch.tensor([value]), remembered, torch.tensor([step == 0]))
        total += float(added)
    return total


@pytest.mark.parametrize(
    ("how", "values", "expected"),
    [
        ("sum", [1.0, -2.0, 4.0], 3.0),
        ("last", [1.0, -2.0, 4.0], 4.0),
        ("last", [5.0, 2.0], 2.0),
        ("max", [1.0, 5.0, 4.0], 5.0),
        ("max", [-3.0, -1.0, -2.0], -1.0),
        ("sum", [1.0, NAN, 4.0], 5.0),
        ("last", [NAN, 2.0, NAN], 2.0),
        ("max", [NAN, -2.0, NAN, -1.0, -5.0], -1.0),
    ],
)
def test_an_episode_s_fitness_is_the_sum_of_what_its_steps_add(
    how: str, values: list[float], expected: float
) -> None:
    assert episode(fitness_rule(f"info:key:{how}"), values) == expected


def test_the_default_of_an_info_entry_is_its_last_value() -> None:
    rule = fitness_rule("info:x_position")
    assert (rule.text, rule.how, rule.unit) == ("info:x_position:last", "last", "x_position")
    assert fitness_rule(rule.text) == rule


def test_return_and_length_read_the_reward_and_count_steps() -> None:
    reward = torch.tensor([0.5, -1.0])
    assert fitness_rule("env_return").value(reward, {}, {}).equal(reward)
    assert fitness_rule("episode_length").value(reward, {}, {}).tolist() == [1.0, 1.0]


def test_only_known_thresholds_count_as_solved() -> None:
    assert fitness_rule("env_return").solved(475.0, 500) == 475.0
    assert fitness_rule("episode_length").solved(475.0, 500) == 500.0
    assert math.isnan(fitness_rule("env_return").solved(None, 500))
    assert math.isnan(fitness_rule("info:x").solved(475.0, 500))


@pytest.mark.parametrize("text", ["", "reward", "info:", "info::max", "info:a:b", "fitness.txt:f"])
def test_other_texts_are_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(UsageError, match="take env_return, episode_length"):
        fitness_rule(text)


def test_a_missing_info_entry_names_those_there_are() -> None:
    with pytest.raises(TaskError, match=r"no number 'speed'. Its numbers: x, y"):
        fitness_rule("info:speed").value(
            torch.zeros(1), {"y": torch.zeros(1), "x": torch.zeros(1)}, {}
        )


# ------------------------------------------------------------------ FILE.py:FUNCTION
def measure(folder: Path, code: str, name: str = "measure") -> FitnessRule:
    file = folder / "fitness.py"
    file.write_text(code, encoding="utf-8")
    return fitness_rule(f"{file}:{name}")


def test_a_function_of_the_user_measures_the_state(tmp_path: Path) -> None:
    code = 'def measure(state):\n    """Height above 1 m."""\n    return state["z"] - 1.0\n'
    rule = measure(tmp_path, code)
    state = {"z": torch.tensor([1.5, 3.0])}
    assert rule.value(torch.zeros(2), {}, state).tolist() == [0.5, 2.0]
    assert (rule.unit, rule.meaning(100)) == ("measure", "Height above 1 m")
    assert rule.text == f"{tmp_path.resolve() / 'fitness.py'}:measure"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def other(state): return 1", "has no function 'measure'"),
        ("def measure(state", "cannot be loaded: SyntaxError"),
        ("import nothing_of_this_name", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(TaskError, match=rf"fitness.py:1.*{message}"):
        measure(tmp_path, code)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('state["nothing"]', r"fitness.py:1: measure\(\) failed: KeyError"),
        ("1.0", r"it returned float: return a tensor of shape \(2,\)"),
        ('state["z"].sum()', r"it returned \(\): return a tensor of shape \(2,\)"),
        ('state["z"] / 0.0', "not finite"),
    ],
)
def test_wrong_results_are_refused_with_the_shape(tmp_path: Path, body: str, message: str) -> None:
    rule = measure(tmp_path, f"def measure(state): return {body}")
    with pytest.raises(TaskError, match=message):
        rule.value(torch.zeros(2), {}, {"z": torch.ones(2)})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        fitness_rule(f"{tmp_path / 'none.py'}:measure")

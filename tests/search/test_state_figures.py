"""Sizes of state variables: what is measured, and that it is measured once."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import eureka_agent as ea
from eureka_agent.prompting.facts import RunFacts
from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.records import FigureRow, StateFigures
from eureka_agent.runs.store import Store
from eureka_agent.search import state_figures
from eureka_agent.search.state_figures import figures_of, longest_figures, measure_figures
from eureka_agent.tasks.registry import load_task, task_names
from eureka_agent.training.budgets import budgets_of
from tests.support.toy_task import ToyTask

TOY = ToyTask()


def config(**changes: Any) -> ea.SynthesisConfig:
    settings: dict[str, Any] = {"task": TOY, "budget": "quick", "environment_steps": 64}
    return ea.SynthesisConfig.of(**(settings | changes))


def rows_of(figures: StateFigures) -> dict[str, FigureRow]:
    return {row.name: row for row in figures.rows}


def test_initial_states_random_actions_and_a_trained_policy_are_measured() -> None:
    """The toy's mass starts uniformly in [-1, 1] m: its 5 % and 95 % quantiles are -0.9 and 0.9."""
    figures = measure_figures(TOY, config())
    row = rows_of(figures)["mass_pos[:, 0] (x)"]
    assert row.unit == "m"
    assert row.start.low == pytest.approx(-0.9, abs=0.06)
    assert row.start.high == pytest.approx(0.9, abs=0.06)
    assert row.start.mean == pytest.approx(0.0, abs=0.1)
    assert row.random.high > row.start.high  # pushed about, it also gets further out
    assert row.trained is not None
    assert figures.environment_steps == 64


def test_the_distance_to_a_goal_has_a_row_and_quaternions_have_none() -> None:
    rows = rows_of(measure_figures(TOY, config()))
    distance = rows["distance of mass_pos from mark_pos"]
    assert distance.start.mean == pytest.approx(0.5, abs=0.05)  # of |x|, x uniform in [-1, 1]
    assert rows["mark_pos[:, 0] (x)"].is_constant
    assert not any("mass_rot" in name for name in rows)


def test_the_angle_between_unit_vectors_is_in_rad() -> None:
    task = load_task("pen_spinning")
    states = {
        "object_axis": torch.tensor([[1.0, 0.0, 0.0]]),
        "goal_axis": torch.tensor([[math.cos(0.5), math.sin(0.5), 0.0]]),
    }
    reader = state_figures._Distance("object_axis", goal="goal_axis", is_angle=True)
    assert task.state_spec["goal_axis"].goal_for == "object_axis"
    assert reader(states).tolist() == pytest.approx([0.5], abs=1e-6)


def test_the_same_config_gives_the_same_figures() -> None:
    assert measure_figures(TOY, config()) == measure_figures(TOY, config())


def test_a_policy_of_the_sparse_reward_is_not_shown_for_an_instruction_of_ones_own() -> None:
    free = config(env=TOY, task="let it dance")
    assert all(row.trained is None for row in measure_figures(TOY, free).rows)


def test_figures_are_measured_once_for_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.create(tmp_path / "run.db", config(task="cartpole")) as store:
        first = figures_of(store, load_task("cartpole"))
        monkeypatch.setattr(state_figures, "measure_figures", lambda *_: pytest.fail("again"))
        assert figures_of(store, load_task("cartpole")) == first


@pytest.mark.parametrize("name", task_names())
def test_made_up_figures_take_at_least_as_much_text_as_measured_ones(name: str) -> None:
    task = load_task(name)
    budget = replace(budgets_of(task)["quick"], environment_steps=2048)
    settings = config(task=name, environment_steps=2048)
    longest = longest_figures(task, budget)
    measured = measure_figures(task, settings)

    def text_of(figures: StateFigures) -> str:
        facts = RunFacts(figures=figures)
        return write_prompt(task, task.description, 0, (), (), facts=facts).messages[1].content

    assert len(text_of(measured)) <= len(text_of(longest))
    assert "# Sizes of the state variables" in text_of(measured)

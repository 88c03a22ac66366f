"""The measured speed, from which a run's duration is estimated."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from eureka_agent.rewards.runner import SparseReward
from eureka_agent.tasks.registry import load_task
from eureka_agent.training import PopulationTrainer, TrainerSettings, measure_speed
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.results import Progress


@pytest.mark.slow
def test_measured_speed_is_near_that_of_a_training() -> None:
    task = load_task("cartpole")
    budget = replace(budgets_of(task)["quick"], environment_steps=20_000)
    started = time.process_time()
    measured = measure_speed(task, budget)
    assert time.process_time() - started < 3.0
    progress: list[Progress] = []
    PopulationTrainer().train(
        task, [SparseReward()] * 4, TrainerSettings(budget, seed=0), on_progress=progress.append
    )
    real = progress[-1].steps_per_second
    assert 0.1 < measured / real < 10.0  # other programs may slow down one of the two


def test_budget_of_a_single_environment_can_be_measured() -> None:
    task = load_task("cartpole")
    assert measure_speed(task, replace(budgets_of(task)["quick"], num_envs=1)) > 0.0

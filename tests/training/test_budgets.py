"""Where a task's budgets come from: its class, its file, or the defaults."""

from __future__ import annotations

from dataclasses import replace

from eureka_agent.config import SynthesisConfig, TrainingBudget
from eureka_agent.training import budgets
from eureka_agent.training.budgets import DEFAULT_BUDGETS, budgets_of, training_budget
from tests.simulation.test_batched_env import PointMass
from tests.support.mujoco_tasks import mujoco_task

OWN = dict.fromkeys(DEFAULT_BUDGETS, TrainingBudget(8, 512))


class Own(PointMass):
    BUDGETS = OWN


def test_budgets_of_a_class_come_before_those_of_its_file_and_the_defaults() -> None:
    assert budgets_of(Own()) == OWN
    assert budgets_of(mujoco_task("cartpole"))["quick"].environment_steps == 80_000
    assert budgets_of(PointMass()) == budgets.DEFAULT_BUDGETS


def test_config_overrides_environments_and_steps() -> None:
    config = SynthesisConfig.of(task="cartpole", budget="quick", num_envs=4, environment_steps=64)
    expected = replace(OWN["quick"], num_envs=4, environment_steps=64)
    assert training_budget(config, Own()) == expected

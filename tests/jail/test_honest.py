"""Honest code is not refused: rewards as models write them, and every task's own, on the tasks' real states."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest
from torch import Tensor

from eureka_agent.checks import check_source
from eureka_agent.jail import Wall
from eureka_agent.jail.contract import probe
from eureka_agent.simulation.samples import sample_states
from eureka_agent.tasks.registry import all_tasks
from eureka_agent.tasks.task import Task
from tests.support.honest_robots import ROBOTS
from tests.support.honest_simple import SIMPLE

_TASKS = {task.name: task for task in all_tasks()}
HONEST = SIMPLE | ROBOTS
REWARDS = HONEST | {f"human reward of {name}": (name, task.human_reward) for name, task in _TASKS.items()}


@cache
def samples(name: str) -> Mapping[str, Tensor]:
    return sample_states(_TASKS[name], seed=0)


def task_of(name: str) -> Task:
    return _TASKS[name]


@pytest.mark.parametrize("name", REWARDS)
def test_honest_reward_passes_checks_wall_and_probe(wall: Wall, name: str) -> None:
    task, code = REWARDS[name]
    spec = task_of(task).reward_inputs
    rows = samples(task)
    reward = wall.open(check_source(code, spec), spec, max_rows=len(rows["action"]))
    probe(reward, rows)
    batch = reward(rows)
    assert batch.reward.shape == (len(rows["action"]),)
    assert batch.components
    reward.close()


def test_there_are_enough_of_them() -> None:
    assert len(HONEST) >= 30

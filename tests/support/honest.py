"""Valid rewards, as models write them and of every task, with the tasks' real states."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from torch import Tensor

from eureka_agent.simulation.samples import sample_states
from eureka_agent.tasks.registry import all_tasks
from eureka_agent.tasks.task import Task
from tests.support.honest_robots import ROBOTS
from tests.support.honest_simple import SIMPLE

_TASKS = {task.name: task for task in all_tasks()}
HONEST = SIMPLE | ROBOTS
REWARDS = HONEST | {
    f"human reward of {name}": (name, task.human_reward)
    for name, task in _TASKS.items()
    if task.has_human_source
}


@cache
def samples(name: str) -> Mapping[str, Tensor]:
    return sample_states(_TASKS[name], seed=0)


def task_of(name: str) -> Task:
    return _TASKS[name]

"""Trying a task out before anything is spent on it: it is built, started and stepped in a few
environments.

It takes some milliseconds, so that a slip is known before a run begins.
"""

from __future__ import annotations

import torch

from eureka_agent.checks import check_source
from eureka_agent.errors import CandidateError, TaskError
from eureka_agent.simulation import Environment
from eureka_agent.tasks.attributes import check_attributes
from eureka_agent.tasks.registry import A_WISH, find_task
from eureka_agent.tasks.source_lines import place_of
from eureka_agent.tasks.task import Task, TaskLike
from eureka_agent.tasks.watched import ValidatedTask

_ENVIRONMENTS = 3
_STEPS = 2


def checked_task(task: TaskLike, *, advice: str = A_WISH) -> Task:
    """Find a task (`find_task`), try it out (`check_task`), and return it."""
    found = find_task(task, advice=advice)
    check_task(found)
    return found


def check_task(task: Task) -> None:
    """Build the task and step it in a few environments. Raises TaskError for the first slip, with
    file and line."""
    check_attributes(task)
    watched = ValidatedTask(task)
    environment = Environment(watched, _ENVIRONMENTS, seed=0)
    for step in range(_STEPS):
        environment.step(torch.full((_ENVIRONMENTS, task.action_size), 0.5 * (-1.0) ** step))
    environment.restart(
        torch.tensor([0]), torch.tensor([0])
    )  # one environment starts anew beside others
    environment.step(torch.zeros(_ENVIRONMENTS, task.action_size))
    if task.has_human_reward:
        _check_human_reward(task)


def _check_human_reward(task: Task) -> None:
    place = (task.folder / "human_reward.py") if task.folder else place_of(task, "human_reward")
    try:
        check_source(task.human_reward, task.reward_inputs)
    except (CandidateError, OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{place}: it is no reward function for {task.name}: {error}") from error

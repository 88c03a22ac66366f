"""Checks a task before a run: it is built, reset and stepped in a few environments.

This takes some milliseconds, so a mistake is found before anything is spent on it.
"""

from __future__ import annotations

from pathlib import Path

import torch

from eureka_agent.checks import check_source
from eureka_agent.errors import CandidateError, TaskError
from eureka_agent.simulation.mujoco_environment import MujocoEnvironment
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.validated_task import ValidatedTask, check_frame_skip
from eureka_agent.tasks.attributes import check_attributes
from eureka_agent.tasks.registry import AN_INSTRUCTION, find_task
from eureka_agent.tasks.source_lines import place_of
from eureka_agent.tasks.task import Task, TaskLike

_ENVIRONMENTS = 3
_STEPS = 2


def checked_task(
    task: TaskLike, *, folder: Path | None = None, advice: str = AN_INSTRUCTION
) -> Task:
    """Find a task (`find_task`), check it (`check_task`) and return it."""
    found = find_task(task, folder=folder, advice=advice)
    check_task(found)
    return found


def check_task(task: Task) -> None:
    """Build a task, step it in a few environments, and check everything that it returns.

    Raises:
        TaskError: The first mistake, with file and line.
    """
    check_attributes(task)
    if isinstance(task, MujocoTask):
        _check_mujoco_task(task)
    else:
        env = task.make_env(_ENVIRONMENTS, seed=0)
        env.step(torch.zeros(_ENVIRONMENTS, task.action_size))
    if task.has_human_source:
        _check_human_reward(task)


def _check_mujoco_task(task: MujocoTask) -> None:
    check_frame_skip(task)
    env = MujocoEnvironment(ValidatedTask(task), _ENVIRONMENTS, seed=0)
    for step in range(_STEPS):
        env.step(torch.full((_ENVIRONMENTS, task.action_size), 0.5 * (-1.0) ** step))
    env.task.end_causes(env.state)
    # One environment starts again while the others continue.
    env.restart(torch.tensor([0]), torch.tensor([0]))
    env.step(torch.zeros(_ENVIRONMENTS, task.action_size))


def _check_human_reward(task: Task) -> None:
    place = (task.folder / "human_reward.py") if task.folder else place_of(task, "human_reward")
    try:
        check_source(task.human_reward, task.reward_inputs)
    except (CandidateError, OSError, UnicodeDecodeError) as error:
        raise TaskError(
            f"{place}: it is not a valid reward function for {task.name}: {error}"
        ) from error

"""The tasks of `envs/` with their own type, MujocoTask."""

from __future__ import annotations

from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.tasks.registry import load_task


def mujoco_task(name: str) -> MujocoTask:
    """Return the task of that name."""
    task = load_task(name)
    assert isinstance(task, MujocoTask)
    return task

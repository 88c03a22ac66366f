"""What a run remembers of its task: enough to show the run without running the task's code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eureka_agent.config import TrainingBudget
from eureka_agent.tasks.registry import reference
from eureka_agent.tasks.task import StateSpec, Task


@dataclass(frozen=True)
class StoredTask:
    """A task as it was when the run began."""

    name: str
    kept: Literal["envs", "file", "object"]
    """Where its code is: in `envs/`, in a file anywhere, or in no file."""
    description: str
    fitness_unit: str
    fitness_solved: float
    budget: TrainingBudget
    """What each reward of the run gets."""
    reward_inputs: StateSpec


def stored_task(task: Task, budget: TrainingBudget) -> StoredTask:
    """Return what a run that trains each reward with `budget` remembers of `task`."""
    in_envs = reference(task) == task.name and task.file is not None
    return StoredTask(
        name=task.name,
        kept="envs" if in_envs else "object" if task.file is None else "file",
        description=task.description,
        fitness_unit=task.fitness_unit,
        fitness_solved=float(task.fitness_solved),
        budget=budget,
        reward_inputs=task.reward_inputs,
    )

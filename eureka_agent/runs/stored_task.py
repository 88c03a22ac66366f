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
    kept: Literal["envs", "id", "file", "object"]
    """Where its code is: in `envs/`, in the library that its id names, in a file anywhere, or in no
    file."""
    description: str
    fitness_unit: str
    fitness_solved: float
    budget: TrainingBudget
    """What each reward of the run gets."""
    reward_inputs: StateSpec


def stored_task(task: Task, budget: TrainingBudget) -> StoredTask:
    """Return what a run that trains each reward with `budget` remembers of `task`."""
    return StoredTask(
        name=task.name,
        kept=_kept(task),
        description=task.description,
        fitness_unit=task.fitness_unit,
        fitness_solved=float(task.fitness_solved),
        budget=budget,
        reward_inputs=task.reward_inputs,
    )


def _kept(task: Task) -> Literal["envs", "id", "file", "object"]:
    if task.id is not None:
        return "id"
    if task.file is None:
        return "object"
    return "envs" if reference(task) == task.name else "file"

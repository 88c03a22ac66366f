"""`TaskConfig`: what the robot should do, and in which scene."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from eureka_agent.config.limits import check_length
from eureka_agent.errors import ConfigError, UsageError
from eureka_agent.tasks.ids import kind_of_id, with_options
from eureka_agent.utils.arguments import check_values, refuse_unknown_arguments
from eureka_agent.utils.did_you_mean import alias_used

if TYPE_CHECKING:  # keeps `synthesize --help` free of torch and mujoco
    from eureka_agent.tasks.task import Task, TaskLike
else:
    TaskLike = str  # the form on the command line and in a stored run

EndName = Literal["never", "task"]


class Described(Protocol):
    """A task, or what a run's record holds of it."""

    @property
    def description(self) -> str:
        """The task's instruction, in one sentence."""
        ...


@refuse_unknown_arguments
@dataclass(frozen=True)
class TaskConfig:
    """What the robot should do."""

    task: TaskLike
    """A name or description (see `eureka-agent tasks`), a path of your own,
    or an id (gym:Hopper-v5). With --env: any instruction in words."""
    env: TaskLike | None = None
    """Task whose scene a new instruction uses; a judge ranks."""
    env_kwargs: tuple[str, ...] = ()
    """Arguments of a Gymnasium environment, NAME=VALUE."""
    fitness: str | None = None
    """What measures success there: see docs/gymnasium.md."""
    python: str | None = None
    """Another Python that has the environment's package."""
    end: EndName | None = None
    """With --env: whether episodes end early as the task's do."""
    task_path: Path | None = None
    """Folder with your own task folders; their code is run."""

    def __post_init__(self) -> None:
        """Refuse a task that cannot be one; paths become text."""
        for name in ("task", "env"):
            value = getattr(self, name)
            if isinstance(value, os.PathLike):
                object.__setattr__(self, name, os.fspath(value))
            elif not (
                isinstance(value, str) or _is_task(value) or (name == "env" and value is None)
            ):
                raise ConfigError(
                    f"{name} takes a name, a path or a Task object, got {_described(value)}."
                )
        check_values(self, but=("task", "env"))
        check_length("--task", self.task)
        if self.env is not None and not isinstance(self.task, str):
            raise UsageError(
                "With env, task is the instruction in words and env the task whose scene is used."
            )
        if isinstance(self.task, str) and not self.task.strip():
            raise UsageError("--task is empty: name a task or say what the robot should do.")
        if self.end is not None and self.env is None:
            raise UsageError(
                "--end needs --env: without it, the task itself says where its episodes end."
            )

    @property
    def scene(self) -> TaskLike:
        """The task whose scene is used: `env`, or `task` itself, with its options."""
        scene = self.task if self.env is None else self.env
        if self.fitness is None and self.python is None and not self.env_kwargs:
            return scene
        if not isinstance(scene, str) or kind_of_id(scene) is None:
            raise UsageError(
                "--fitness, --env-kwargs and --python are for environments that are given by their"
                f" id, such as --task gym:Hopper-v5: {str(scene)!r} has its own fitness in its"
                " code."
            )
        kwargs = _arguments(self.env_kwargs) or None
        python = os.path.abspath(os.path.expanduser(self.python)) if self.python else None
        options = {"kwargs": kwargs, "fitness": self.fitness, "python": python}
        return with_options(scene, options)

    @property
    def has_fitness(self) -> bool:
        """Whether the instruction is the task's own, so that the task's fitness measures it."""
        return self.env is None

    @property
    def ends_early(self) -> bool:
        """Whether the task may end episodes before the time limit."""
        return self.env is None or self.end == "task"

    def instruction(self, task: Described) -> str:
        """Return what the robot should do, in one sentence."""
        return task.description if self.has_fitness else str(self.task).strip()

    def asked_as(self, task: Task) -> str:
        """Return the user's words for the task if they are neither its name nor its description."""
        return alias_used(str(self.task), task) if self.has_fitness else ""

    def episodes_of(self, task: Task) -> Task:
        """Return the task with this run's episodes; with --env only time ends them by default."""
        return task if self.ends_early else task.without_end()


def _is_task(value: object) -> bool:
    """Whether `value` is a `Task`.

    This module does not import `Task`, which takes seconds; whoever passes one has imported it.
    """
    module = sys.modules.get("eureka_agent.tasks.task")
    return module is not None and isinstance(value, module.Task)


def _arguments(texts: Sequence[str]) -> dict[str, Any]:
    """Return the arguments that `--env-kwargs` names; a value that is not JSON is a text."""
    arguments: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(
                f"--env-kwargs takes NAME=VALUE, such as healthy_reward=0.5: got {text!r}."
            )
        try:
            arguments[name] = json.loads(value)
        except ValueError:
            arguments[name] = value
    return arguments


def _described(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}: give an object of it"
    return repr(value)

"""The task and the config of a resumed run: what its folder gives, what must be given again."""

from __future__ import annotations

import shlex
from collections.abc import Container
from dataclasses import replace

from eureka_agent.api.preparation import asks_named_models
from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.proposers.factory import refuse_other_address
from eureka_agent.records import INITIAL
from eureka_agent.runs.changes import Changes, refuse_too_late
from eureka_agent.runs.foreign_run import NeededSettings, TrustedSettings, trusted_config
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import stored_task
from eureka_agent.simulation.gymnasium import names_code
from eureka_agent.simulation.task_check import checked_task
from eureka_agent.tasks.ids import kind_of_id
from eureka_agent.tasks.registry import looks_like_path, named_task
from eureka_agent.tasks.task import Task, TaskLike
from eureka_agent.text import one_line
from eureka_agent.training.budgets import training_budget


def resumed_task(store: Store, given: TaskLike | None) -> Task:
    """Return the task of a resumed run.

    A run's folder may come from somebody else, so code outside `envs/` never runs just because the
    folder names it. Raises UsageError if the task must be given again, or is not the run's.
    """
    config = store.config
    if given is None:
        where = str(config.task.scene)
        if looks_like_path(where):
            raise UsageError(
                f"The run's task is code in {where!r}, and code that only a run's folder names is"
                " never run: if you trust it, give its path again with --task PATH."
            )
        if store.metadata("task") and store.task.kept == "object":
            raise UsageError(
                f"The run's task {where!r} was a Task object that is not in a file: resume it in"
                " Python with ea.resume(run, task=TASK). To resume it here, too, write it to a"
                " file that ends with TASK = ..."
            )
        if kind_of_id(where) is not None:
            return _task_of_run(where)
        return named_task(where, advice="Give the run's task again with --task NAME.")
    task = checked_task(
        given, advice="--task takes the run's own task again: its name, or the path of its code."
    )
    stored = (
        store.task if store.metadata("task") else stored_task(task, training_budget(config, task))
    )
    if task.name != stored.name:
        raise UsageError(
            f"The run's task is {stored.name!r}, but {task.name!r} was given: give the run's own."
        )
    if task.id is not None and task.id != str(config.task.scene):
        raise UsageError(
            f"The run's task is {_shown(str(config.task.scene))}, and {_shown(task.id)} was given:"
            " give the run's own."
        )
    if not stored.reward_inputs.shapes.items() <= task.reward_inputs.shapes.items():
        raise UsageError(
            f"The run's task is {stored.name!r}, and the task given has this name but another"
            " state: give the run's own."
        )
    return task


def _task_of_run(where: str) -> Task:
    """Return the task of an id that a run's folder names, unless that runs code of its choice."""
    if names_code(where):
        raise UsageError(
            f"The run's task is {_shown(where)}. It names a module or a file, and code that only a"
            " run's folder names is never run: if you trust it, give the same id again with --task."
        )
    return checked_task(where)


def _shown(identity: str) -> str:
    return one_line(shlex.quote(identity), 400)


def resumed_config(
    store: Store, changes: Changes, again: TrustedSettings, overrides: Container[str]
) -> SynthesisConfig:
    """Return the config of a resumed run; nothing is written yet.

    `overrides`: names of what the caller passes, such as `proposer`. Raises UsageError.
    """
    begun = 1 + max((prompt.generation for prompt in store.prompts()), default=-1)
    refuse_too_late(changes, begun, finals=bool(store.finals()))
    again = replace(again, base_url=changes.base_url or again.base_url)
    needed = NeededSettings(
        address=asks_named_models(store.config, overrides),
        examples=not store.examples,
        initial_reward=not store.completions(INITIAL),
        sandbox="sandbox" not in overrides,
    )
    config = changes.applied(trusted_config(store.config, again, needed))
    if config.search.measure is not None and store.measure is None:
        raise UsageError(
            f"The run was stopped before it read its measure {config.search.measure}, and a file"
            " that only a run's folder names is never read: start a new run."
        )
    if asks_named_models(config, overrides):
        refuse_other_address(config)
    return config

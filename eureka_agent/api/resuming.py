"""What a run that goes on takes from its folder, and what has to be given again."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.proposers.factory import refuse_other_address
from eureka_agent.records import INITIAL
from eureka_agent.runs.changes import Changes, refuse_too_late
from eureka_agent.runs.foreign_run import TrustedSettings, Use, trusted
from eureka_agent.runs.store import Store
from eureka_agent.simulation.task_check import checked_task
from eureka_agent.tasks.registry import looks_like_path, named_task
from eureka_agent.tasks.task import Task, TaskLike


def task_again(store: Store, given: TaskLike | None) -> Task:
    """Return the task of a run that goes on. Raises UsageError when its code has to be given again,
    or is another's.

    A run's folder may be somebody else's, so code outside `envs/` never runs because the folder
    names it.
    """
    config = store.config
    if given is None:
        where = str(config.env or config.task)
        if looks_like_path(where):
            raise UsageError(
                f"The run's task is code in {where!r}, and code that only a run's folder names is"
                " not run: if you trust it, give its path again with --task PATH."
            )
        if store.task.kept == "object":
            raise UsageError(
                f"The run's task {where!r} was a Task object that is in no file: resume it in"
                " Python with ea.resume(run, task=TASK). To resume it here, too, write it to a"
                " file that ends with TASK = ..."
            )
        return named_task(where, advice="Give the run's task again with --task NAME.")
    task = checked_task(
        given, advice="--task takes the run's own task again: its name, or the path of its code."
    )
    facts = store.task
    ours, its = task.reward_inputs.shapes, facts.reward_inputs.shapes
    if task.name != facts.name or not its.items() <= ours.items():
        what = (
            f"{task.name!r}"
            if task.name != facts.name
            else "of this name, but its state is another by now"
        )
        raise UsageError(
            f"The run's task is {facts.name!r}, and the one that is given is {what}: give the run's"
            " own."
        )
    return task


def _used_of(store: Store, given: Container[str]) -> Use:
    """Return what a resume is about to use of the stored settings."""
    return Use(
        address="proposer" not in given,
        examples=not store.examples,
        start=not store.completions(INITIAL),
        sandbox="sandbox" not in given,
    )


def changed_config(
    store: Store, changes: Changes, again: TrustedSettings, given: Container[str]
) -> SynthesisConfig:
    """Return the config that a run goes on with. Raises UsageError; nothing is written yet."""
    begun = 1 + max((asked.generation for asked in store.asked()), default=-1)
    refuse_too_late(changes, begun, finals=bool(store.finals()))
    again = replace(again, base_url=changes.base_url or again.base_url)
    config = changes.applied(trusted(store.config, again, _used_of(store, given)))
    if "proposer" not in given:
        refuse_other_address(config)
    return config

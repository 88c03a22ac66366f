"""Check a task by running it: what is wrong with it, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from eureka_agent.authoring.validation.episodes import check_episodes
from eureka_agent.authoring.validation.findings import Finding, failed, ok
from eureka_agent.authoring.validation.resets import check_resets
from eureka_agent.authoring.validation.state import check_state
from eureka_agent.authoring.validation.training import check_training
from eureka_agent.config import SandboxLevel
from eureka_agent.errors import SimulationError, TaskError
from eureka_agent.simulation.task_check import check_task
from eureka_agent.tasks.source_lines import naming_lines_of
from eureka_agent.tasks.task import Task


def validate_task(task: Task, *, sandbox: SandboxLevel = "full") -> Iterator[Finding]:
    """Check a task and yield what each check found, in the order of the checks.

    The checks run the task for some seconds. Where its episodes fail, nothing is trained.

    Args:
        task: Any task.
        sandbox: Which layers of the sandbox must hold where rewards run.

    Yields:
        One finding for each check.
    """
    try:
        check_task(task)
        yield ok("code", "attributes, shapes and types are as they have to be.")
        with naming_lines_of(task):
            yield from check_state(task)
            yield from check_resets(task)
            findings = list(check_episodes(task))
            yield from findings
            if any(each.verdict == "failed" for each in findings):
                return
            yield from check_training(task, sandbox)
    except (TaskError, SimulationError) as error:
        yield failed("code", f"{error} Other checks were left out.")

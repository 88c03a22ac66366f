"""The commands for authors of tasks: `new-task` and `validate-task`."""

from __future__ import annotations

import shlex
from pathlib import Path

import tyro

from eureka_agent.config import SandboxLevel

_TASK_ADVICE = "validate-task takes the name of a task, or the path of a task's folder."


def new_task(
    name: tyro.conf.Positional[str],
    model: Path,
    path: Path = Path(),
    floating_base: bool = False,
) -> None:
    """Write a task folder for your robot: state, observation, start, end, and a fitness to fill in.

    Args:
        name: The task's name, e.g. my_robot; its folder gets it, too.
        model: The robot's file, MJCF (.xml) or URDF (.urdf).
        path: The folder in which the task's folder is made.
        floating_base: Let the root link of a URDF move freely; without it, a URDF's base is fixed
            unless the file has a floating joint.
    """
    from eureka_agent.authoring import new_task as write
    from eureka_agent.report import put, whole_line
    from eureka_agent.utils.terminal import Terminal

    written = write(name, model, path=path, floating_base=floating_base)
    console = Terminal()
    put(console, whole_line(f"The task is in {written.folder}."))
    put(console, *(whole_line(said) for said in written.said))
    shown = shlex.quote(_as_path(written.folder))
    steps = [
        f"# what the robot should do: description and fitness() in {shown}/task.py",
        f"eureka-agent validate-task {shown}",
        f"synthesize --task {shown} --quick",
    ]
    put(console, whole_line("Next:"), *(whole_line(f"  {step}") for step in steps))


def validate_task(task: tyro.conf.Positional[str], sandbox: SandboxLevel = "full") -> None:
    """Check a task by running it: units, seeds, resets, ends, fitness, observation, training.

    Exits with code 2 if a check failed.

    Args:
        task: The task's name, or the path of a task of your own.
        sandbox: Which layers of the sandbox must hold, see `synthesize --help`.
    """
    from eureka_agent.authoring import validate_task as validate
    from eureka_agent.report import put, validation_table, whole_line
    from eureka_agent.tasks.registry import find_task
    from eureka_agent.utils.terminal import Terminal

    found = find_task(task, advice=_TASK_ADVICE)
    findings = list(validate(found, sandbox=sandbox))
    console = Terminal()
    put(console, validation_table(findings))
    failures = sum(finding.verdict == "failed" for finding in findings)
    if failures:
        put(console, whole_line(f"{found.name} has mistakes: {failures} of {len(findings)} checks"))
        raise SystemExit(2)
    put(console, whole_line(f"Next: synthesize --task {shlex.quote(task)} --quick"))


def _as_path(folder: Path) -> str:
    """Return a folder as a text that is a path to `--task`: with a slash in it."""
    return str(folder) if "/" in str(folder) else f"./{folder}"

"""The command `export`: a run, or its best reward, as one file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import tyro

from eureka_agent.errors import UsageError
from eureka_agent.text import escape_control
from eureka_agent.utils.terminal import Terminal

if TYPE_CHECKING:
    from eureka_agent.runs.store import Store

ExportFormat: TypeAlias = Literal["json", "torch", "gymnasium"]
_WHAT = {"json": "run", "torch": "best reward", "gymnasium": "best reward"}


def export(
    run: tyro.conf.Positional[str],
    out: Path | None = None,
    format: ExportFormat = "json",
    policies: bool = False,
    example: bool = False,
    task: str | None = None,
    runs_dir: Path = Path("runs"),
) -> None:
    """Write a run as one JSON file: config, prompts, completions with costs, and all results.

    Or write its best reward as one Python file that does not need eureka_agent.

    Args:
        run: The run's folder, its name, or the start of its name.
        out: Where to write it; by default the standard output.
        format: json: the whole run. torch: the function of the best reward. gymnasium: the best
            reward with a wrapper that pays it in the task's environment of Gymnasium.
        policies: Also write the trained policies into the JSON, as base64.
        example: Write the best reward as a Markdown file for another run's --examples-dir instead.
        task: With --format gymnasium: the run's task, if its code is not part of eureka_agent.
        runs_dir: Folder that holds the runs.
    """
    from eureka_agent.report import put, whole_line
    from eureka_agent.runs.directory import RunDir
    from eureka_agent.runs.store import Store
    from eureka_agent.utils.paths import user_path

    if format != "json" and (policies or example):
        raise UsageError("--policies and --example go with --format json: leave one of them out.")
    with Store.open(RunDir.find(run, runs_dir).database, writable=False) as store:
        text = _text(store, format, policies=policies, example=example, task=task)
    if out is None:
        sys.stdout.write(escape_control(text) if sys.stdout.isatty() else text)
        sys.stdout.flush()
        return
    out = user_path(out)
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"Cannot write to {out} ({error.strerror}): choose another --out."
        ) from error
    put(Terminal(), whole_line(f"The {'example' if example else _WHAT[format]} is in {out}."))


def _text(
    store: Store, format: ExportFormat, *, policies: bool, example: bool, task: str | None
) -> str:
    from eureka_agent.report.export import best_as_example, best_reward, export_text, exported

    if example:
        return best_as_example(store)
    if format == "torch":
        return best_reward(store).code
    return (
        _for_gymnasium(store, task)
        if format == "gymnasium"
        else (export_text(exported(store, policies=policies)))
    )


def _for_gymnasium(store: Store, task: str | None) -> str:
    from eureka_agent.api.resuming import resumed_task
    from eureka_agent.report import run_report
    from eureka_agent.report.export import best_reward
    from eureka_agent.report.gymnasium_file import gymnasium_file
    from eureka_agent.simulation.gymnasium import reading_of

    found = resumed_task(store, task)
    reading = reading_of(found, found.name)
    return gymnasium_file(run_report(store), best_reward(store), reading, found.reward_inputs)

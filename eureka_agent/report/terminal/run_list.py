"""The runs of a folder, for `eureka-agent runs`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.text import Text

from eureka_agent.report.formatting import number, one_line
from eureka_agent.report.model import RunReport
from eureka_agent.report.terminal.page import plain_table, whole_line

_ANY_WIDTH = 20_000


@dataclass(frozen=True)
class Overview:
    """One run in a row."""

    name: str
    state: str
    """`finished`, `running`, `interrupted` or `damaged`."""
    task: str = ""
    generations: str = ""
    """`2 of 3`: number of finished generations."""
    best: str = ""
    """The best candidate and its fitness, or the latest choice of a judge."""
    cost: str = ""
    when: str = ""
    """When it was started."""
    damage: str = ""
    """One sentence that says why it cannot be read."""


def overview_of(report: RunReport, *, when: str, running: bool) -> Overview:
    """Return a run's row.

    Args:
        report: The run.
        when: When it was started.
        running: Whether a process works on it.

    Returns:
        The row.
    """
    task, best = report.task, report.result.best
    state = "finished" if report.finished else "interrupted"
    fitness = f" {number(best.fitness)}" if best and task.has_fitness else ""
    return Overview(
        name=report.name,
        state="running" if running else state,
        task=task.name if task.has_fitness else f"{task.instruction} on {task.name}",
        generations=f"{report.finished_generations} of {report.protocol.generations}",
        best=f"{best.candidate.name}{fitness}" if best else "-",
        cost=str(report.effort.cost) or "-",
        when=when,
    )


class RunList:
    """The runs, one line each, or two on a narrow terminal, so that no name is folded or cut."""

    def __init__(self, runs: Sequence[Overview]) -> None:
        self._runs = runs

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = _table(self._runs)
        fits = (
            Measurement.get(console, options.update(width=_ANY_WIDTH), table).maximum
            <= options.max_width
        )
        yield table if fits else Group(*(_two_lines(run) for run in self._runs))
        damage = [Text(one_line(run.damage), overflow="fold") for run in self._runs if run.damage]
        yield from (Text(), *damage) if damage else ()


def runs_table(runs: Sequence[Overview]) -> RenderableType:
    """Return the runs as a table, and below it the errors of those that cannot be read."""
    return RunList(runs)


def _table(runs: Sequence[Overview]) -> RenderableType:
    table = plain_table()
    for title in ("run", "task", "state", "generations", "best", "cost", "started"):
        table.add_column(title, no_wrap=True)
    for run in runs:
        cells = (run.name, run.task, run.state, run.generations, run.best, run.cost, run.when)
        table.add_row(*(Text(one_line(cell)) for cell in cells), style=_style(run))
    return table


def _two_lines(run: Overview) -> RenderableType:
    generations = f"{run.generations} generations" if run.generations else ""
    known = (run.task, run.state, generations, run.best.strip("-"), run.cost.strip("-"), run.when)
    details = Text(
        f"  {', '.join(one_line(fact) for fact in known if fact)}",
        style=_style(run),
        overflow="fold",
    )
    return Group(whole_line(one_line(run.name)), details)


def _style(run: Overview) -> str:
    return {"damaged": "red", "running": "green"}.get(run.state, "")

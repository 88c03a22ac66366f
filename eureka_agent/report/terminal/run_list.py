"""The runs of a folder, for `eureka-agent runs`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.text import Text

from eureka_agent.errors import EurekaError, UsageError
from eureka_agent.report.cost import Cost
from eureka_agent.report.formatting import number, one_line
from eureka_agent.report.terminal.page import plain_table, whole_line
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.sqlite import is_claimed
from eureka_agent.runs.store import Store
from eureka_agent.search.selection import best_so_far

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


def overview(run: RunDir) -> Overview:
    """Read a run; one that cannot be read gets a row, too."""
    try:
        with Store.open(run.database, writable=False) as store:
            return _read(run, store)
    except EurekaError as error:
        return Overview(run.name, "damaged", when=_when(run, None), damage=str(error))


def _read(run: RunDir, store: Store) -> Overview:
    config, outcomes = store.config, store.outcomes()
    task = _task(store)
    complete = store.finished and not store.stopped
    begun = max((prompt.generation for prompt in store.prompts()), default=0)
    state = "finished" if store.finished else "interrupted"
    best = best_so_far(outcomes, store.feedback(), has_fitness=config.task.has_fitness)
    fitness = f" {number(best.fitness)}" if best and config.task.has_fitness else ""
    return Overview(
        run.name,
        "running" if is_claimed(run.database) else state,
        f"{config.task.task} on {task}" if config.task.env else task,
        f"{config.search.generations if complete else begun} of {config.search.generations}",
        f"{best.candidate.name}{fitness}" if best else "-",
        str(Cost.of([*store.answers().values(), *store.replaced()])) or "-",
        _when(run, store.metadata("started")),
    )


def _task(store: Store) -> str:
    """Return the task's name, or what the user typed if this version has no such task."""
    try:
        return store.task.name
    except UsageError:
        return str(store.config.task.scene)


def _when(run: RunDir, started: str | None) -> str:
    try:
        moment = datetime.fromisoformat(started or "")
    except ValueError:
        moment = datetime.fromtimestamp(run.database.stat().st_mtime)
    return f"{moment:%Y-%m-%d %H:%M}"


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

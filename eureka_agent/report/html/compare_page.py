"""Several runs on one HTML page: results, protocols, fitness by generation, cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from eureka_agent.records import Baseline
from eureka_agent.report.formatting import (
    BASELINES,
    duration,
    fitness,
    fitness_line,
    number,
    one_line,
    quantity,
)
from eureka_agent.report.html import sections
from eureka_agent.report.html.charts.generations import Track, series_of, tracks_chart
from eureka_agent.report.html.charts.intervals import interval_chart
from eureka_agent.report.html.charts.svg import Chart
from eureka_agent.report.html.environment import html_environment, standalone_policy, style
from eureka_agent.report.html.figures import generation_columns, interval_row
from eureka_agent.report.messages import score_text
from eureka_agent.report.model import RunReport
from eureka_agent.search.statistics import Score

_REFERENCE = 8
"""The colour of references, which every run measures by itself."""


@dataclass(frozen=True)
class ComparedRun:
    """One run of a comparison."""

    label: str
    """Such as `run 2`: short enough for charts."""
    series: int
    """Its colour."""
    report: RunReport
    state: tuple[str, str]
    """A class of `.badge`, and words."""
    lines: tuple[str, ...]
    """What it found, in sentences."""


@dataclass(frozen=True)
class Row:
    """One row of a table with a column for each run."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ComparedTask:
    """The runs of one task and instruction."""

    id: str
    title: str
    fitness: str
    """The unit, and what counts as solved; empty without a fitness."""
    runs: tuple[ComparedRun, ...]
    result_chart: Chart | None
    results: tuple[Row, ...]
    fitness_chart: Chart | None
    differences: tuple[Row, ...]
    """The settings that differ."""
    effort: tuple[Row, ...]


def compare_page(reports: Sequence[RunReport]) -> str:
    """Return a page that compares runs and stands alone; runs of one task are compared together.

    Args:
        reports: The runs.

    Returns:
        The page's HTML.
    """
    runs = [_compared(index, report) for index, report in enumerate(reports)]
    tasks: dict[tuple[str, str, bool], list[ComparedRun]] = {}
    for run in runs:
        task = run.report.task
        tasks.setdefault((task.name, task.instruction, task.has_fitness), []).append(run)
    groups = [_task(index, members) for index, members in enumerate(tasks.values())]
    template = html_environment().get_template("compare.html")
    return template.render(style=style(), policy=standalone_policy(), runs=runs, tasks=groups)


def _compared(index: int, report: RunReport) -> ComparedRun:
    state, lines = sections.state_of(report), sections.result_lines(report)
    return ComparedRun(f"run {index + 1}", series_of(index), report, state, tuple(lines))


def _task(index: int, runs: Sequence[ComparedRun]) -> ComparedTask:
    task = runs[0].report.task
    measured = fitness_line(task.fitness_unit, task.fitness_solved) if task.has_fitness else ""
    return ComparedTask(
        id=f"task-{index + 1}",
        title=f"{task.name}: {task.instruction}",
        fitness=measured,
        runs=tuple(runs),
        result_chart=_result_chart(f"results-{index + 1}", runs),
        results=_filled(_results(runs)),
        fitness_chart=_fitness_chart(f"fitness-{index + 1}", runs),
        differences=tuple(_differences(runs)),
        effort=_filled(_effort(runs)),
    )


# ---------------------------------------------------------------------- charts
def _result_chart(name: str, runs: Sequence[ComparedRun]) -> Chart | None:
    """Draw each run's best reward and its references below each other."""
    task, rows = runs[0].report.task, []
    for run in runs:
        best = run.report.result.best
        if best is not None:
            rows.append(interval_row(f"{run.label}: {best.candidate.name}", best, run.series))
        rows += [
            interval_row(f"{run.label}: {each.name}", each, _REFERENCE)
            for each in run.report.result.baselines
            if each.name != "random"
        ]
    known = [row for row in rows if row is not None and math.isfinite(row.value)]
    if not task.has_fitness or not known:
        return None
    title = "Fitness of the best rewards and of the references, with 95 % intervals"
    return interval_chart(
        name, known, title=title, unit=task.fitness_unit, solved=task.fitness_solved
    )


def _fitness_chart(name: str, runs: Sequence[ComparedRun]) -> Chart | None:
    task = runs[0].report.task
    tracks = [Track(run.label, tuple(generation_columns(run.report)), run.series) for run in runs]
    known = [track for track in tracks if track.columns]
    if not task.has_fitness or not known:
        return None
    title = "Best fitness so far by generation"
    return tracks_chart(
        name, known, title=title, unit=task.fitness_unit, solved=task.fitness_solved
    )


# ---------------------------------------------------------------------- tables
def _results(runs: Sequence[ComparedRun]) -> list[Row]:
    """Return the results against the references."""
    rows = [Row("Best reward", tuple(map(_best, runs)))]
    rows.append(Row("Expected with a new seed", tuple(map(_expected, runs))))
    for name, words in BASELINES.items():
        found = [_baseline(run.report, name) for run in runs]
        rows.append(Row(words.capitalize(), tuple(fitness(b.overall) if b else "" for b in found)))
    scores = [run.report.result.human_normalised for run in runs]
    shown = tuple("" if score is None else number(score, 2) for score in scores)
    rows.append(Row("Human-normalised score", shown))
    rows.append(Row("Best with final seeds", tuple(map(_final, runs))))
    return rows


def _best(run: ComparedRun) -> str:
    best = run.report.result.best
    if best is None or best.overall is None:
        return "none"
    if not run.report.task.has_fitness:
        return f"{best.candidate.name} was chosen"
    return f"{best.candidate.name}: {fitness(best.overall)}, {best.overall.seeds} seeds"


def _expected(run: ComparedRun) -> str:
    estimate = run.report.result.expected
    return score_text(Score(estimate.value, estimate.low, estimate.high)) if estimate else ""


def _final(run: ComparedRun) -> str:
    final = run.report.result.reevaluation
    return f"{score_text(final.best)}, {final.seeds} seeds" if final is not None else ""


def _baseline(report: RunReport, name: str) -> Baseline | None:
    known = report.result.baselines if report.task.has_fitness else ()
    return next((each for each in known if each.name == name), None)


def _effort(runs: Sequence[ComparedRun]) -> list[Row]:
    reports = [run.report for run in runs]
    trained = [sum(one.evaluation is not None for one in each.outcomes) for each in reports]
    pairs = zip(trained, reports, strict=True)
    tokens = [each.effort.tokens.prompt + each.effort.tokens.completion for each in reports]
    return [
        Row("Training time", tuple(duration(each.effort.seconds) for each in reports)),
        Row(
            "Environment steps", tuple(quantity(each.effort.environment_steps) for each in reports)
        ),
        Row("Rewards trained", tuple(f"{count} of {len(each.outcomes)}" for count, each in pairs)),
        Row("Cost", tuple(str(each.effort.cost) for each in reports)),
        Row("Tokens", tuple(quantity(count) if count else "" for count in tokens)),
        Row("Stopped by", tuple(one_line(each.stopped or "") for each in reports)),
    ]


def _differences(runs: Sequence[ComparedRun]) -> list[Row]:
    """Return the settings, the sandbox and the versions that are not the same in all runs."""
    settings = [_settings(run.report) for run in runs]
    names = dict.fromkeys(name for each in settings for name in each)
    rows = [Row(name, tuple(each.get(name, "") for each in settings)) for name in names]
    return [row for row in rows if len(set(row.values)) > 1]


def _settings(report: RunReport) -> dict[str, str]:
    """Return what decides a run's results, by name, as text."""
    protocol = {
        field.name.replace("_", " "): _text(getattr(report.protocol, field.name))
        for field in fields(report.protocol)
        if field.name != "own_steps"
    }
    versions = {f"version of {one_line(name, 40)}": it for name, it in report.versions.items()}
    ends = {"episodes end early": _text(report.task.ends_early)}
    return {**protocol, **ends, "sandbox": report.sandbox_level, **versions}


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return one_line(", ".join(map(str, value))) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else one_line(str(value))


def _filled(rows: Sequence[Row]) -> tuple[Row, ...]:
    return tuple(row for row in rows if any(row.values))

"""The charts of one run, drawn from its report."""

from __future__ import annotations

import math

from eureka_agent.records import RewardResult, SeededResult
from eureka_agent.report.formatting import BASELINES, fitness
from eureka_agent.report.html.charts.curves import curves_chart
from eureka_agent.report.html.charts.generations import (
    Column,
    Point,
    Reference,
    generations_chart,
)
from eureka_agent.report.html.charts.intervals import IntervalRow, interval_chart
from eureka_agent.report.html.charts.svg import Chart
from eureka_agent.report.model import GenerationReport, RunReport

BASELINE_SERIES = {"human": 2, "sparse": 3, "random": 8}
"""The colours of the references in all charts; the candidates have the first."""
_BEST, _START = 1, 4


def result_chart(report: RunReport) -> Chart | None:
    """Draw the best reward and the references with their intervals over training seeds.

    Args:
        report: The run.

    Returns:
        The chart; None without a fitness, or if nothing was trained.
    """
    best, start = report.result.best, report.initial
    rows = []
    if best is not None:
        rows.append(interval_row(f"best: {best.candidate.name}", best, _BEST))
    if start is not None and start != best:
        rows.append(interval_row("start", start, _START))
    rows += [
        interval_row(BASELINES[each.name], each, BASELINE_SERIES[each.name])
        for each in report.result.baselines
    ]
    known = [row for row in rows if row is not None and math.isfinite(row.value)]
    if report.fitness_unit is None or not known:
        return None
    return interval_chart(
        "result-chart",
        known,
        title="Fitness of the best reward and of the references, with 95 % intervals",
        unit=report.fitness_unit,
        solved=report.task.fitness_solved,
    )


def fitness_chart(report: RunReport) -> Chart | None:
    """Draw every candidate's fitness by generation.

    Args:
        report: The run.

    Returns:
        The chart; None without a fitness, or before any outcome.
    """
    columns = generation_columns(report)
    if report.fitness_unit is None or not columns:
        return None
    references = [
        Reference(
            BASELINES[each.name],
            each.overall.fitness,
            each.overall.fitness_low,
            each.overall.fitness_high,
            BASELINE_SERIES[each.name],
        )
        for each in report.result.baselines
        if math.isfinite(each.overall.fitness)
    ]
    return generations_chart(
        "fitness-chart",
        columns,
        references,
        title="Fitness by generation",
        unit=report.fitness_unit,
        solved=report.task.fitness_solved,
    )


def training_charts(name: str, result: RewardResult, unit: str | None) -> tuple[Chart, ...]:
    """Draw a training: components, reward, and fitness or the length of episodes.

    Args:
        name: Unique in the page, such as a candidate's name.
        result: The reward's training.
        unit: The unit of the fitness; None if the instruction has none.

    Returns:
        The charts that have something to show.
    """
    training = result.training
    if training is None:
        return ()
    steps = training.environment_steps
    last, title = training.episode_length, "Length of episodes (steps)"
    if unit is not None:
        last, title = training.fitness, f"Fitness while exploring ({unit})"
    charts = (
        curves_chart(f"components-{name}", training.components, steps, title="Components per step"),
        curves_chart(
            f"reward-{name}", [training.reward], steps, title="Reward per step", first_series=8
        ),
        curves_chart(f"last-{name}", [last], steps, title=title, first_series=8),
    )
    return tuple(chart for chart in charts if chart is not None)


def generation_columns(report: RunReport) -> list[Column]:
    """Return the generations of a run that have outcomes, as a chart shows them."""
    return [_column(each, report) for each in report.generations if each.outcomes]


def interval_row(label: str, result: SeededResult, series: int) -> IntervalRow | None:
    """Return a result as a row of an interval chart; None without a training.

    Args:
        label: The row's label.
        result: The trainings.
        series: Their colour.
    """
    overall = result.overall
    if overall is None:
        return None
    ends = (overall.fitness_low, overall.fitness_high)
    seeds = result.fitness_by_seed
    return IntervalRow(label, fitness(overall), overall.fitness, *ends, seeds, series)


def _column(generation: GenerationReport, report: RunReport) -> Column:
    best = report.result.best
    so_far = generation.best_so_far
    points = [
        Point(
            outcome.candidate.name,
            outcome.fitness,
            is_best=best is not None and outcome.candidate.name == best.candidate.name,
        )
        for outcome in generation.outcomes
    ]
    label = "start" if generation.is_initial else f"g{generation.index}"
    return Column(label, tuple(points), so_far.fitness if so_far is not None else math.nan)

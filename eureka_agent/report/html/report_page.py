"""A run's report as one HTML file, which opens without a network."""

from __future__ import annotations

from typing import Any

from eureka_agent.report.formatting import BASELINES
from eureka_agent.report.html import sections
from eureka_agent.report.html.cards import candidate_card
from eureka_agent.report.html.charts.svg import Chart
from eureka_agent.report.html.environment import html_environment, script, standalone_policy, style
from eureka_agent.report.html.figures import fitness_chart, result_chart, training_charts
from eureka_agent.report.html.protocol import protocol_sentences
from eureka_agent.report.html.replays import BUDGET, PageReplays, ReplaySource, page_replays
from eureka_agent.report.messages import feedback_lines
from eureka_agent.report.model import RunReport

_SIDE_BY_SIDE = 3


def report_page(
    report: RunReport, replays: ReplaySource | None = None, *, budget: int = BUDGET
) -> str:
    """Return the report of a run, finished or not, as an HTML page that stands alone.

    Args:
        report: The run.
        replays: Its replays, such as the run's open `Store`; None for a page without them.
        budget: The most bytes that all replays take in the page.

    Returns:
        The page's HTML.
    """
    shown = page_replays(report, replays, budget)
    template = html_environment().get_template("report.html")
    return template.render(_context(report, shown))


def _context(report: RunReport, shown: PageReplays) -> dict[str, Any]:
    viewer = script("viewer.js") if shown.packs else ""
    return {
        "style": style(),
        "policy": standalone_policy([viewer] if viewer else []),
        "viewer": viewer,
        "report": report,
        "replays": shown,
        "state": sections.state_of(report),
        "lines": sections.result_lines(report),
        "notes": sections.result_notes(report),
        "key": sections.key_figures(report),
        "result_chart": result_chart(report),
        "result_rows": sections.result_rows(report),
        "measures": sections.measure_names(report),
        "fitness_chart": fitness_chart(report),
        "cards": {name: candidate_card(report, name) for name in report.candidates},
        "lineage": report.lineage,
        "feedback": {
            part.index: feedback_lines(part.feedback)
            for part in report.generations
            if part.feedback is not None
        },
        "reference_charts": _reference_charts(report),
        "baselines": BASELINES,
        "side_by_side": _side_by_side(report, shown),
        "protocol": protocol_sentences(report),
        "effort": sections.effort_rows(report),
        "environment": sections.environment_rows(report),
    }


def _reference_charts(report: RunReport) -> dict[str, tuple[Chart, ...]]:
    """Return the charts of the references' trainings; random actions have none."""
    return {
        each.name: training_charts(f"reference-{each.name}", each, report.fitness_unit)
        for each in report.result.baselines
        if each.training is not None
    }


def _side_by_side(report: RunReport, shown: PageReplays) -> list[tuple[str, str]]:
    """Return the labels and names of the replays next to the result: at most three.

    The best reward is compared with the references; without a fitness, with the others of its
    generation, which a judge ranked.
    """
    best = report.result.best
    rows = []
    if best is not None:
        label = "best" if report.task.has_fitness else "chosen"
        rows.append((f"{label}: {best.candidate.name}", best.candidate.name))
    rows += [(BASELINES[name], BASELINES[name]) for name in ("human", "sparse")]
    if best is not None and not report.task.has_fitness:
        names = [one.candidate.name for one in report.outcomes if one != best]
        own = f"g{best.candidate.generation}c"
        rows += [(name, name) for name in names if name.startswith(own)]
    return [(label, name) for label, name in rows if name in shown.packs][:_SIDE_BY_SIDE]

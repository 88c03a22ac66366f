"""Several runs on one page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eureka_agent.report import RunReport
from eureka_agent.report.html.compare_page import compare_page
from tests.support.hostile_report import hostile
from tests.support.html_page import Page


@pytest.fixture(scope="module")
def other(report: RunReport) -> RunReport:
    """The run with another seed and another version of torch."""
    versions = {**report.versions, "torch": "9.9.9"}
    protocol = replace(report.protocol, seed=7)
    return replace(report, name="other", protocol=protocol, versions=versions)


def cells(page: Page, row: str) -> list[str]:
    """Return the cells of the table row with this title."""
    (title,) = [each for each in page.all("th", scope="row") if each.text.strip() == row]
    start = page.elements.index(title) + 1
    found = []
    for element in page.elements[start:]:
        if element.tag != "td":
            break
        found.append(element.text)
    return found


def test_runs_of_one_task_stand_side_by_side(report: RunReport, other: RunReport) -> None:
    page = Page(compare_page([report, other]))
    assert page.unbalanced == []
    assert [each.text for each in page.all("h2")][1:] == [
        f"cartpole: {report.task.instruction}",
    ]
    best = cells(page, "Best reward")
    assert len(best) == 2
    assert best[0] == best[1]
    assert report.result.best is not None
    assert best[0].startswith(f"{report.result.best.candidate.name}: ")
    assert len(cells(page, "Human reward")) == 2
    assert len(page.all("svg", role="img")) == 2
    assert len(page.all("polyline")) == 2  # the best so far of each run


def test_only_what_differs_between_the_protocols_is_listed(
    report: RunReport, other: RunReport
) -> None:
    page = Page(compare_page([report, other]))
    assert cells(page, "seed") == [str(report.protocol.seed), "7"]
    assert cells(page, "version of torch") == [report.versions["torch"], "9.9.9"]
    titles = {each.text for each in page.all("th", scope="row")}
    assert not {"generations", "samples", "version of python"} & titles


def test_equal_protocols_are_said_to_be_equal(report: RunReport) -> None:
    page = Page(compare_page([report, report]))
    assert "settings, sandbox and versions are the same" in page.text


def test_runs_of_different_tasks_are_not_compared_with_each_other(report: RunReport) -> None:
    unmeasured = replace(report, task=replace(report.task, instruction="dance", has_fitness=False))
    page = Page(compare_page([report, unmeasured]))
    assert "different tasks or instructions" in page.text
    assert len(page.all("h2")) == 3
    assert len(page.all("svg", role="img")) == 2  # none without a fitness
    assert "was chosen" in page.text


def test_a_run_without_a_result_has_a_column_as_well(report: RunReport) -> None:
    result = replace(report.result, best=None, expected=None, baselines=(), human_normalised=None)
    empty = replace(report, outcomes=(), generations=(), result=result)
    page = Page(compare_page([report, empty]))
    assert cells(page, "Best reward")[1] == "none"
    assert page.unbalanced == []


def test_hostile_runs_cannot_add_markup(report: RunReport) -> None:
    page = Page(compare_page([hostile(report), hostile(report)]))
    assert page.unbalanced == []
    assert page.all("script") == page.all("img") == []
    assert "\u202e" not in page.html

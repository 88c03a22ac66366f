"""The report of a real run holds what the run holds, and nothing that could leave the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_agent.report import RunReport, run_report
from eureka_agent.report.comparison import verdict
from eureka_agent.report.formatting import number
from eureka_agent.report.html.report_page import report_page
from eureka_agent.runs.store import Store
from tests.support.hostile_report import ATTACK, hostile
from tests.support.html_page import Page
from tests.support.small_run import COMMENT, PLAN
from tests.support.stored_run import stored_run


@pytest.fixture(scope="module")
def page(run_path: Path, report: RunReport) -> Page:
    with Store.open(run_path / "run.db", writable=False) as store:
        return Page(report_page(report, store))


def test_the_page_is_well_formed_and_names_every_part_once(page: Page) -> None:
    assert page.unbalanced == []
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []
    targets = [each.attributes["href"].removeprefix("#") for each in page.all("a")]
    assert set(targets) <= set(page.ids)


def test_the_result_stands_first_with_its_verdict(page: Page, report: RunReport) -> None:
    best = report.result.best
    assert best is not None
    lines = verdict(best, report.outcomes, report.result.baselines, report.task.fitness_unit)
    assert [each.text for each in page.all("p", class_="verdict")] == lines
    headings = [heading.text for heading in page.all("h2")]
    assert headings[0] == "Result"
    assert {"Fitness by generation", "All candidates", "Cost and time"} <= set(headings)
    estimate = report.result.expected
    assert estimate is not None
    assert f"{number(estimate.value)} steps" in page.all("dl", class_="figures")[0].text


def test_every_candidate_has_a_row_a_dot_and_a_section(page: Page, report: RunReport) -> None:
    links = Counter(each.attributes["href"].removeprefix("#") for each in page.all("a"))
    for name in report.candidates:
        assert name in page.ids
        assert links[name] >= 2, name  # in the table and in the chart
    sections = [each.text for each in page.all("summary")]
    assert all(any(name in text for text in sections) for name in report.candidates)


def test_the_page_shows_code_words_failures_and_comments(page: Page, report: RunReport) -> None:
    codes = [each.text for each in page.all("code")]
    reward = report.outcomes[1].candidate.reward
    assert reward is not None
    assert any(reward.code.strip() in code for code in codes)
    assert "The answer holds no Python function" in page.text
    assert COMMENT in page.text
    assert PLAN in page.text
    assert page.all("span", class_="duplicate")[0].text == "same as g0c0"


def test_a_candidates_difference_marks_what_changed(page: Page) -> None:
    added, removed = page.all("ins"), page.all("del")
    assert any("calm = -0.3" in each.text for each in added)
    assert removed


def test_charts_have_titles_and_descriptions_for_screen_readers(page: Page) -> None:
    charts = page.all("svg", role="img")
    assert len(charts) > 5
    for chart in charts:
        names = chart.attributes["aria-labelledby"].split()
        assert len(names) == 2
        assert set(names) <= set(page.ids)
    assert all(each.text for each in page.all("title") + page.all("desc"))
    assert len(page.all("caption")) == len(page.all("table"))


def test_the_page_names_protocol_sandbox_and_versions(page: Page, report: RunReport) -> None:
    for known in (*report.versions.values(), "full", "seed", report.name):
        assert known in page.text
    assert f"{report.effort.environment_steps:,}" in page.text
    assert "The search starts from the human reward." in page.text


def test_the_page_holds_the_replays_of_the_run(page: Page, run_path: Path) -> None:
    with Store.open(run_path / "run.db", writable=False) as store:
        names = store.replays()
    figures = page.all("figure", class_="replay")
    assert {each.attributes["data-label"] for each in figures} >= {*names} - {"start"}
    packs = {each.attributes["data-replay"].removeprefix("#") for each in figures}
    assert packs <= set(page.ids)


def test_no_address_leads_out_of_the_page(page: Page) -> None:
    for element in page.elements:
        for name in ("src", "href", "data", "action", "srcset", "poster", "xlink:href"):
            assert element.attributes.get(name, "#").startswith("#"), element
    assert not page.all("link") + page.all("iframe") + page.all("object") + page.all("img")
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    rules = dict(each.split(" ", 1) for each in policy.attributes["content"].split("; "))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert "connect-src" not in rules
    assert "@import" not in page.all("style")[0].text
    assert "url(" not in page.all("style")[0].text


def test_hostile_text_stays_text_wherever_it_stands(run_path: Path, report: RunReport) -> None:
    with Store.open(run_path / "run.db", writable=False) as store:
        page = Page(report_page(hostile(report), store))
        own = Page(report_page(report, store))
    assert page.unbalanced == []
    assert not page.all("img")
    assert len(page.all("script")) <= len(own.all("script"))
    handlers = [name for each in page.elements for name in each.attributes if name[:2] == "on"]
    assert handlers == []
    assert "\u202e" not in page.html
    assert "\x1b" not in page.html
    assert page.text.count("<img src=x onerror=alert(1)>") > 30
    assert ATTACK not in page.html


def test_an_unfinished_run_says_so_and_shows_what_is_known(tmp_path: Path) -> None:
    run = stored_run(tmp_path / "half", finished=False)
    with Store.open(run.database, writable=False) as store:
        page = Page(report_page(run_report(store), store))
    assert "not finished: 1 of 2 generations" in page.text
    assert "eureka-agent resume half" in page.text
    assert [each.text for each in page.all("span", class_="pending")][:2] == [
        "checked, not trained yet",
        "proposed, not trained yet",
    ]
    assert page.unbalanced == []


def test_a_run_without_fitness_shows_no_fitness(report: RunReport) -> None:
    unmeasured = replace(
        report,
        task=replace(report.task, has_fitness=False, instruction="do a backflip"),
        result=replace(report.result, baselines=(), expected=None, estimates={}, reevaluation=None),
    )
    page = Page(report_page(unmeasured))
    assert "was chosen" in page.text
    assert "rankings decided" in page.text
    titles = [each.text.strip() for each in page.all("th", scope="col")]
    assert "Fitness" not in titles
    assert "fitness" not in page.ids
    assert page.unbalanced == []


def test_a_run_in_which_nothing_worked_says_why(report: RunReport) -> None:
    failures = tuple(each for each in report.outcomes if each.failure is not None)
    assert failures
    failed = replace(
        report, outcomes=failures, result=replace(report.result, best=None, expected=None)
    )
    page = Page(report_page(failed))
    assert f"all {len(failures)} candidate" in page.text
    assert "finished without a reward" in page.text


def test_a_run_that_a_limit_stopped_names_the_limit(report: RunReport) -> None:
    page = Page(report_page(replace(report, stopped="--max-cost of $1.00 is reached.")))
    assert "Stopped early: --max-cost of $1.00 is reached." in page.text
    assert page.all("span", class_="bad")[0].text == "stopped early"

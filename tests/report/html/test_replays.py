"""A page holds the most important replays, and stays small."""

from __future__ import annotations

import pytest

from eureka_agent.report import RunReport
from eureka_agent.report.html.replays import by_importance, page_replays
from eureka_agent.report.html.report_page import report_page
from tests.support.html_page import Page
from tests.support.large_report import (
    GENERATIONS,
    SAMPLES,
    RandomReplays,
    large_report,
    names_of,
)


@pytest.fixture(scope="module")
def large(report: RunReport) -> RunReport:
    return large_report(report)


def test_the_page_of_80_candidates_with_large_replays_stays_under_15_mb(large: RunReport) -> None:
    page = report_page(large, RandomReplays(names_of(large), 600_000))
    assert 10_000_000 < len(page.encode()) < 15_000_000


def test_the_page_of_80_candidates_holds_all_replays_of_the_usual_size(large: RunReport) -> None:
    html = report_page(large, RandomReplays(names_of(large), 60_000))
    page = Page(html)
    assert len(html.encode()) < 15_000_000
    labels = {each.attributes["data-label"] for each in page.all("figure", class_="replay")}
    assert set(large.candidates) <= labels


def test_the_best_the_references_and_each_generations_best_come_first(large: RunReport) -> None:
    best = large.result.best
    assert best is not None
    order = by_importance(large)
    assert order[:3] == [best.candidate.name, "human reward", "sparse reward"]
    assert order[3:8] == ["g4c4", "g3c3", "g2c2", "g1c1", "g0c0"]
    assert len(order) == len(set(order)) == GENERATIONS * SAMPLES + 2


def test_what_does_not_fit_is_named_with_the_command_that_shows_it(large: RunReport) -> None:
    source = RandomReplays(names_of(large), 3_000)
    shown = page_replays(large, source, budget=30_000)
    assert list(shown.packs) == by_importance(large)[: len(shown.packs)]
    assert 5 <= len(shown.packs) < 10
    assert set(shown.packs) | set(shown.left_out) == set(names_of(large))
    total = sum(len(pack.base64) for pack in shown.packs.values())
    assert shown.scene is not None
    assert total + len(shown.scene.base64) <= 30_000
    page = Page(report_page(large, source, budget=30_000))
    missing = shown.left_out[0]
    assert f"eureka-agent replay {large.name} {missing}" in page.text


def test_names_that_no_reward_has_are_never_read(large: RunReport) -> None:
    source = RandomReplays(("g0c0", "</script>", "../../etc/passwd"), 100)
    shown = page_replays(large, source, budget=10_000)
    assert list(shown.packs) == source.read == ["g0c0"]


def test_a_run_without_replays_needs_no_script(large: RunReport) -> None:
    page = Page(report_page(large, RandomReplays((), 100)))
    assert page.all("script") == []
    assert page.all("figure", class_="replay") == []

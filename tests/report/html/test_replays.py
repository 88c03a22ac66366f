"""A page holds the most important replays, and stays small."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

import pytest

from eureka_agent.records import Completion, Outcome
from eureka_agent.report import RunReport
from eureka_agent.report.html.replays import by_importance, page_replays
from eureka_agent.report.html.report_page import report_page
from eureka_agent.report.model import CandidateReport, GenerationReport
from tests.support.html_page import Page

GENERATIONS, SAMPLES = 5, 16


@dataclass
class Replays:
    """Replays of one size, which remembers what was read."""

    names: tuple[str, ...]
    size: int
    read: list[str] = field(default_factory=list)

    def scene(self) -> bytes | None:
        return Random(0).randbytes(self.size)

    def replays(self) -> tuple[str, ...]:
        return self.names

    def replay(self, name: str) -> bytes | None:
        self.read.append(name)
        return Random(name).randbytes(self.size)


@pytest.fixture(scope="module")
def large(report: RunReport) -> RunReport:
    """A run of 5 generations of 16, each candidate with the code and curves of a real one."""
    best = report.result.best
    assert best is not None
    generations = []
    for index in range(GENERATIONS):
        outcomes = [_copy(best, index, sample) for sample in range(SAMPLES)]
        parents = (f"g{index - 1}c0",) if index else ()
        candidates = [
            CandidateReport(each.candidate.name, each.candidate.completion, parents, True, each)
            for each in outcomes
        ]
        generations.append(
            GenerationReport(
                index,
                tuple(candidates),
                parents,
                best=outcomes[index],
                best_so_far=outcomes[index],
                feedback=None,
                cost=report.effort.cost,
            )
        )
    outcomes = [outcome for generation in generations for outcome in generation.outcomes]
    result = replace(report.result, best=outcomes[-1])
    return replace(report, generations=tuple(generations), outcomes=tuple(outcomes), result=result)


def _copy(outcome: Outcome, generation: int, sample: int) -> Outcome:
    before = outcome.candidate
    text = f"Idea {sample}.\n\n{before.completion.text}" * 3
    completion = Completion(sample, text, "model", 1000, 500, 0.01)
    candidate = replace(before, generation=generation, completion=completion)
    return replace(outcome, candidate=candidate)


def names_of(report: RunReport) -> tuple[str, ...]:
    return (*report.candidates, "human reward", "sparse reward")


def test_the_page_of_80_candidates_with_large_replays_stays_under_15_mb(large: RunReport) -> None:
    page = report_page(large, Replays(names_of(large), 600_000))
    assert 10_000_000 < len(page.encode()) < 15_000_000


def test_the_page_of_80_candidates_holds_all_replays_of_the_usual_size(large: RunReport) -> None:
    html = report_page(large, Replays(names_of(large), 60_000))
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
    source = Replays(names_of(large), 3_000)
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
    source = Replays(("g0c0", "</script>", "../../etc/passwd"), 100)
    shown = page_replays(large, source, budget=10_000)
    assert list(shown.packs) == source.read == ["g0c0"]


def test_a_run_without_replays_needs_no_script(large: RunReport) -> None:
    page = Page(report_page(large, Replays((), 100)))
    assert page.all("script") == []
    assert page.all("figure", class_="replay") == []

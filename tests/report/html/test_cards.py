"""What a page says of one candidate."""

from __future__ import annotations

from dataclasses import replace

from eureka_agent.records import Completion
from eureka_agent.report import RunReport
from eureka_agent.report.html.cards import candidate_card, words_of
from eureka_agent.report.model import CandidateReport
from tests.support.small_run import COMMENT, PLAN


def test_a_trained_candidate_has_its_figures_curves_code_and_parent(report: RunReport) -> None:
    card = candidate_card(report, "g1c2")
    assert card.kind == "trained"
    assert card.fitness
    assert card.interval
    assert card.seeds == "2"
    assert card.result == f"{card.fitness} steps"
    assert card.ends.startswith("64 of 64 ") or "; " in card.ends
    assert [chart.title for chart in card.curves] == [
        "Components per step",
        "Reward per step",
        "Fitness while exploring (steps)",
    ]
    assert {entry.name for entry in card.curves[0].legend} == {"upright", "calm"}
    assert "compute_reward" in card.code
    assert card.parent is not None
    assert card.parent.name == report.candidates["g1c2"].parents[0]
    assert [part.title for part in card.behaviour][:2] == [
        "How the episodes ended",
        "What the components paid, and what they explain",
    ]
    assert card.reflection.startswith("A policy was trained with it")


def test_the_best_candidate_is_marked_and_has_all_its_trainings(report: RunReport) -> None:
    best = report.result.best
    assert best is not None
    card = candidate_card(report, best.candidate.name)
    assert (card.kind, card.status) == ("best", "best")
    assert card.seeds == "2"
    assert dict(card.facts)["Each training"].count(",") == 1


def test_a_failed_candidate_says_why_and_has_no_figures(report: RunReport) -> None:
    card = candidate_card(report, "g0c1")
    assert (card.kind, card.status) == ("failed", "no reward function in the answer")
    assert "no Python function" in card.problem
    assert (card.fitness, card.code, card.curves, card.parent) == ("", "", (), None)


def test_a_duplicate_names_what_it_computes_the_same_as(report: RunReport) -> None:
    card = candidate_card(report, "g1c1")
    assert (card.kind, card.status) == ("duplicate", "same as g0c0")


def test_a_judges_words_stand_on_the_card_they_are_about(report: RunReport) -> None:
    assert candidate_card(report, "g0c0").comments == (COMMENT,)
    assert candidate_card(report, "g0c2").comments == ()


def test_an_answer_without_its_code_is_the_models_words(report: RunReport) -> None:
    card = candidate_card(report, "g0c0")
    assert card.plan.startswith(PLAN)
    assert card.words.splitlines()[0] == PLAN
    assert card.words.endswith("That is all.")
    assert "compute_reward" not in card.words


def test_words_of_a_hostile_answer_are_short() -> None:
    for text in ("```\n~~~\n" * 10_000, "x" * 1_000_000, "\n" * 100_000, "~~~" * 100_000):
        assert len(words_of(Completion(0, text, "model"))) <= 6_000


def test_a_candidate_in_progress_says_how_far_it_is(report: RunReport) -> None:
    before = report.candidates["g1c2"]
    waiting = CandidateReport("g1c2", before.completion, before.parents, True, None)
    last = report.generations[-1]
    generation = replace(last, candidates=(*last.candidates[:2], waiting))
    running = replace(report, generations=(*report.generations[:-1], generation))
    card = candidate_card(running, "g1c2")
    assert (card.kind, card.status) == ("pending", "checked, not trained yet")
    assert "compute_reward" in card.code
    assert card.result == card.fitness == card.ends == ""

"""Whether the best reward beats the references."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from eureka_agent.records import Baseline, Candidate, Evaluation, Outcome, SeedResult
from eureka_agent.report.comparison import verdict
from eureka_agent.search.estimates import expected
from tests.support import run_events


def seeded(name: Literal["human", "sparse"], *fitness: float) -> Baseline:
    return Baseline(name, evaluation=result(fitness[0]), more_seeds=further(*fitness[1:]))


def result(fitness: float) -> Evaluation:
    return Evaluation(fitness, fitness - 0.1, fitness + 0.1, 8, 100.0)


def further(*fitness: float) -> tuple[SeedResult, ...]:
    return tuple(SeedResult(k, evaluation=result(f)) for k, f in enumerate(fitness, 1))


def best(*fitness: float) -> Outcome:
    made = run_events.outcome(1, run_events.completion(3), result(fitness[0]))
    return replace(made, more_seeds=further(*fitness[1:]))


OTHERS = [
    Outcome(Candidate(1, run_events.completion(index), None), evaluation=result(fitness))
    for index, fitness in enumerate((4.0, 6.0, 3.0))
]
BASELINES = [seeded("human", 5.0, 4.9, 5.1), seeded("sparse", 2.0, 2.1, 1.9)]


def test_a_verdict_over_several_seeds_names_what_is_beaten() -> None:
    found = best(9.0, 9.2, 9.1)
    says, worth = verdict(found, [*OTHERS, found], BASELINES, "m/s")
    assert says == "g1c3 beats the human reward (5.00 m/s) and the sparse reward (2.00 m/s)."
    assert worth == (
        "g1c3 is expected to reach 9.10 m/s with a new training seed (8.96 to 9.24, from 3"
        " trainings)."
    )


def test_a_verdict_names_what_is_not_beaten() -> None:
    found = best(5.1, 4.0, 6.0)
    says, _ = verdict(found, [*OTHERS, found], BASELINES, "m/s")
    assert says == "g1c3 does not beat the human reward (5.00 m/s)."


def test_a_single_training_has_no_verdict() -> None:
    found = best(9.0)
    assert verdict(found, [*OTHERS, found], BASELINES, "m/s") == []


def test_a_reward_chosen_for_lucky_trainings_is_expected_to_reach_less_than_their_mean() -> None:
    found = best(9.0, 3.0, 9.0)
    estimate = expected(found, [*OTHERS, found], BASELINES)
    assert estimate is not None
    assert 4.0 < estimate.value < 7.0

"""Whether the best reward beats the references."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from eureka_agent.records import Baseline, Evaluation, Outcome, SeedResult
from eureka_agent.report.comparison import verdict
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


@pytest.mark.parametrize(
    ("fitness", "says"),
    [
        (
            (9.0, 9.2, 9.1),
            [
                "g1c3 beats the human reward (5.00 m/s) and the sparse reward (2.00 m/s), over 3"
                " training seeds."
            ],
        ),
        (
            (5.1, 4.0, 6.0),
            ["g1c3 (5.03 m/s) does not beat the human reward (5.00 m/s), over 3 training seeds."],
        ),
        ((9.0,), []),
    ],
)
def test_a_verdict_needs_several_seeds_and_names_what_is_not_beaten(
    fitness: tuple[float, ...], says: list[str]
) -> None:
    baselines = [seeded("human", 5.0, 4.9, 5.1), seeded("sparse", 2.0, 2.1, 1.9)]
    assert verdict(best(*fitness), baselines, "m/s") == says

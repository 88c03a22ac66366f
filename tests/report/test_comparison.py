"""Whether the best reward beats the references."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from eureka_agent.records import (
    Baseline,
    Candidate,
    Evaluation,
    Outcome,
    SeededResult,
    SeedResult,
)
from eureka_agent.report.comparison import (
    Comparison,
    longer_than,
    meaning_of_intervals,
    verdict,
    worth,
)
from eureka_agent.search.estimates import expected
from eureka_agent.tasks.registry import load_task
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
    says, figure = verdict(found, [*OTHERS, found], BASELINES, "m/s")
    assert says == "g1c3 beats the human reward (5.00 m/s) and the sparse reward (2.00 m/s)."
    assert figure == (
        "g1c3 is expected to reach 9.10 m/s with a new training seed (8.96 to 9.24, from 3"
        " trainings)."
    )


def test_a_verdict_names_what_is_not_beaten() -> None:
    found = best(4.4, 4.5, 4.6)
    says, also, _ = verdict(found, [*OTHERS, found], BASELINES, "m/s")
    assert says == "g1c3 does not beat the human reward (5.00 m/s)."
    assert also == "g1c3 beats the sparse reward (2.00 m/s)."


def test_a_verdict_names_what_is_not_clearly_beaten() -> None:
    found = best(5.9, 4.0, 6.9)
    says, *_ = verdict(found, [*OTHERS, found], [seeded("human", 4.0, 4.2, 4.1)], "m/s")
    assert says == "g1c3 is not clearly better than the human reward (4.10 m/s)."


def test_a_single_training_has_no_verdict() -> None:
    found = best(9.0)
    assert verdict(found, [*OTHERS, found], BASELINES, "m/s") == []


def test_a_reward_chosen_for_lucky_trainings_is_expected_to_reach_less_than_their_mean() -> None:
    found = best(9.0, 3.0, 9.0)
    estimate = expected(found, [*OTHERS, found], BASELINES)
    assert estimate is not None
    assert 4.0 < estimate.value < 7.0


# ---------------------------------------------------------------------- evaluate
def references(human: float, random: float) -> list[Baseline]:
    figures: dict[Literal["human", "sparse", "random"], float] = {
        "human": human,
        "sparse": 0.5,
        "random": random,
    }
    return [Baseline(name, evaluation=result(value)) for name, value in figures.items()]


@pytest.mark.parametrize(
    ("human", "says_so"),
    [
        (0.05, True),  # the same
        (0.15, True),  # alike: the intervals overlap
        (0.24, True),  # less than a tenth of the way from 0.05 to the 2.0 that solve the task
        (0.25, False),
    ],
)
def test_human_reward_hardly_better_than_random_actions_needs_a_larger_budget(
    human: float, says_so: bool
) -> None:
    task = load_task("hopper_forward")
    assert task.fitness_solved == 2.0
    notes = worth(result(1.0), references(human, 0.05), task, longer="--budget normal")
    assert bool(notes) == says_so
    if notes:
        assert re.fullmatch(
            r"At this budget the human reward is hardly better than random actions"
            rf" \({human}0* against 0\.050* m/s\), so rewards cannot be compared: train longer,"
            r" --budget normal\.",
            notes[0],
        )


def test_longer_budget_is_the_next_one_or_more_steps() -> None:
    assert longer_than("quick") == "--budget normal"
    assert longer_than("normal") == "--budget paper"
    assert longer_than("paper") == "with larger BUDGETS in the task's file"
    assert longer_than("quick", own_steps=True) == "with more --environment-steps"


def test_comparison_says_what_its_intervals_are_over() -> None:
    one = Comparison(Path("mine.py"), 7, SeededResult(evaluation=result(1.0)), ())
    assert meaning_of_intervals(one) == (
        "One training each, with seed 7: the 95 % intervals are over the 8 episodes of that one"
        " training, and other seeds may give other results (--seeds 5)."
    )
    several = SeededResult(evaluation=result(1.0), more_seeds=further(2.0, 3.0))
    seeds = Comparison(Path("mine.py"), 7, several, ())
    assert seeds.evaluation.fitness == 2.0
    assert meaning_of_intervals(seeds).startswith("Means over 3 training seeds, which the rewards")

"""Whether the best reward beats the references."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from eureka_agent.records import Baseline, Evaluation, Outcome, SeededResult, SeedResult
from eureka_agent.report.comparison import (
    Comparison,
    longer_than,
    meaning_of_intervals,
    verdict,
    worth,
)
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

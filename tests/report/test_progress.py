from __future__ import annotations

from dataclasses import replace

import pytest

from eureka_agent.records import Failure, Generation
from eureka_agent.report.progress import RunProgress
from eureka_agent.search.events import (
    GenerationFinished,
    GenerationStarted,
    TrainingProgress,
    TrainingStarted,
)
from tests.support import run_events as runs


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rows_follow_the_candidates() -> None:
    progress = RunProgress()
    progress.apply(runs.run_started(runs.config()))
    broken = Failure("training", "The reward became NaN.")
    outcomes = [
        runs.outcome(0, runs.completion(0), runs.REFUSED),
        runs.outcome(0, runs.completion(1), runs.evaluation(2.0)),
        runs.outcome(0, runs.completion(2), broken),
        runs.outcome(0, runs.completion(3), runs.evaluation(3.0)),
    ]
    seen = []
    for event in runs.generation(0, outcomes, outcomes[3]):
        progress.apply(event)
        seen.append([row.phase for row in progress.rows.values()])
    assert seen[0] == ["waiting"] * 4
    assert seen[4] == ["proposed"] * 4
    assert seen[5] == ["rejected", "proposed", "proposed", "proposed"]
    assert seen[6] == seen[7] == ["rejected", "training", "training", "training"]
    assert seen[9] == ["rejected", "evaluating", "evaluating", "evaluating"]
    assert seen[10] == ["failed", "done", "failed", "done"]
    assert progress.rows["g0c2"].reason == "The reward became NaN."
    assert progress.best is outcomes[3]


def test_a_stopped_candidate_has_its_own_phase_and_keeps_its_last_fitness() -> None:
    progress = RunProgress()
    progress.apply(TrainingStarted((), ("a", "b")))
    progress.apply(TrainingProgress(("a", "b"), runs.progress(2, 0.2, fitness=[7.0, 8.0])))
    progress.apply(
        TrainingProgress(
            ("a", "b"), runs.progress(2, 0.3, fitness=[runs.NAN, 9.0], alive=[True, False])
        )
    )
    assert (progress.rows["a"].phase, progress.rows["a"].fitness) == ("training", 7.0)
    assert progress.rows["b"].phase == "stopped"


def test_time_left_counts_the_remaining_trainings() -> None:
    clock = Clock()
    progress = RunProgress(clock)
    progress.apply(runs.run_started(runs.config(generations=3, samples=4)))
    assert progress.run_left_s is None  # no speed known yet
    progress.apply(TrainingStarted((), runs.BASELINES))
    clock.now += 6.0
    progress.apply(TrainingProgress(runs.BASELINES, runs.progress(2, 0.1)))
    # 2 x 1.5 M x 0.9 steps at 50 k/s; then 3 generations x 4 rewards x 1.5 M steps
    assert progress.training_left_s == pytest.approx(54.0)
    assert progress.run_left_s == pytest.approx(54.0 + 360.0)


def test_time_left_considers_that_a_race_stops_some() -> None:
    """Of 4 candidates all train to 4 %, 2 to 30 %, 1 to the end: 0.16 + 0.52 + 0.7 = 1.38 trainings
    per generation."""
    progress = RunProgress(clock := Clock())
    progress.apply(runs.run_started(runs.config(generations=3, samples=4, racing=True)))
    progress.apply(TrainingStarted((), runs.BASELINES))
    clock.now += 6.0
    progress.apply(TrainingProgress(runs.BASELINES, runs.progress(2, 0.1)))
    assert progress.run_left_s == pytest.approx(54.0 + 3 * 1.38 * 30.0)


def test_time_left_includes_the_time_between_trainings() -> None:
    clock = Clock()
    progress = RunProgress(clock)
    progress.apply(runs.run_started(runs.config(generations=3, samples=4, baselines=False)))
    names = tuple(f"g0c{i}" for i in range(4))
    progress.apply(GenerationStarted(0))
    outcomes = tuple(runs.outcome(0, runs.completion(i), runs.evaluation(1.0)) for i in range(4))
    progress.apply(TrainingStarted(tuple(one.candidate for one in outcomes), names))
    clock.now += 10.0 + 120.0  # 10 s for the model, then 4 x 1.5 M steps at 50 k/s
    progress.apply(TrainingProgress(names, runs.progress(4, 1.0)))
    progress.apply(GenerationFinished(Generation(0, outcomes, outcomes[0])))
    assert progress.training_left_s is None
    assert progress.run_left_s == pytest.approx(2 * (120.0 + 10.0))


def test_a_generation_that_is_asked_for_again_has_new_rows() -> None:
    progress = RunProgress()
    progress.apply(runs.run_started(runs.config(samples=2)))
    progress.apply(GenerationStarted(0))
    progress.apply(GenerationStarted(0, attempt=1))
    assert list(progress.rows) == ["g0c2", "g0c3"]


def test_a_resumed_run_counts_each_completion_once() -> None:
    progress = RunProgress()
    progress.apply(runs.run_started(runs.config(model="gpt-5"), resumed=True))
    outcomes = [
        runs.outcome(0, runs.completion(i, 0.5, "gpt-5"), runs.evaluation(1.0)) for i in range(4)
    ]
    for event in runs.generation(0, outcomes, outcomes[0]):
        progress.apply(event)
    assert progress.cost.usd == 2.0
    progress.apply(runs.run_finished(outcomes, replace(outcomes[1])))
    assert progress.best == outcomes[1]
    assert progress.run_left_s is None

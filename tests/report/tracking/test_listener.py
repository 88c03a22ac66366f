from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from eureka_agent.records import Failure, ReevaluationResult, ReevaluationSeed
from eureka_agent.report.tracking.listener import TrackingListener
from eureka_agent.search.events import (
    Event,
    SeedReevaluated,
    SeedTrained,
    TrainingProgress,
    TrainingStarted,
)
from tests.support import run_events as runs
from tests.support.recording_tracker import RecordingTracker


def tracked(*events: Event) -> RecordingTracker:
    tracker = RecordingTracker()
    listener = TrackingListener(tracker)
    for event in events:
        listener(event)
    listener.close()
    return tracker


def test_whole_run_is_one_search_with_a_record_for_each_training(tmp_path: Path) -> None:
    first = runs.outcome(0, runs.completion(0), runs.evaluation(12.0))
    failed = runs.outcome(0, runs.completion(1), Failure("training", "The reward became NaN."))
    refused = runs.outcome(0, runs.completion(2), runs.REFUSED)
    outcomes = [first, failed, refused]
    (tmp_path / "best_reward.py").write_text("def compute_reward(): ...\n")
    tracker = tracked(
        runs.run_started(runs.config(), tmp_path),
        *runs.baseline_training(),
        *runs.generation(0, outcomes, first),
        runs.run_finished(outcomes, first, tmp_path),
    )
    assert tracker.calls == [
        ("open search",),
        ("open", "human reward"),
        ("open", "sparse reward"),
        ("close", "human reward"),
        ("close", "sparse reward"),
        ("open", "g0c0"),
        ("open", "g0c1"),
        ("close", "g0c0"),
        ("close", "g0c1"),
        ("close search",),
    ]
    assert [step for step, _ in tracker.curves["g0c0"]] == [150_000, 750_000, 1_500_000]
    assert tracker.curves["g0c0"][0][1]["components/effort"] == -0.25
    human, best = tracker.results["human reward"], tracker.results["g0c0"]
    assert human is not None
    assert human["result/fitness"] == 14.0
    assert best == {
        "result/episode_length": 250.0,
        "result/fitness": 12.0,
        "result/fitness_low": 11.5,
        "result/fitness_high": 12.5,
        "result/seeds": 1.0,
    }
    assert tracker.results["g0c1"] is None
    assert tracker.result is not None
    assert tracker.result.numbers["result/fitness"] == 12.0
    assert tracker.result.numbers["result/human_normalised"] == 0.93
    assert tracker.result.best == "g0c0"
    assert tracker.result.best_reward == tmp_path / "best_reward.py"
    assert tracker.result.report == f"file://{tmp_path}/report.html"


def test_search_that_is_stopped_closes_its_trainings_without_results() -> None:
    tracker = tracked(
        runs.run_started(runs.config()),
        TrainingStarted((), ("g0c0",)),
        TrainingProgress(("g0c0",), runs.progress(1, 0.1)),
    )
    assert tracker.calls[-2:] == [("close", "g0c0"), ("close search",)]
    assert tracker.results == {"g0c0": None}
    assert tracker.result is None


def test_training_that_starts_over_is_closed_first() -> None:
    tracker = tracked(TrainingStarted((), ("a",)), TrainingStarted((), ("a",)))
    assert tracker.calls == [("open", "a"), ("close", "a"), ("open", "a"), ("close", "a")]


def test_trainings_with_further_and_final_seeds_get_their_own_results() -> None:
    def result(fitness: float) -> ReevaluationResult:
        return ReevaluationResult(evaluation=runs.evaluation(fitness))

    final = ReevaluationSeed(1, best=result(3.0), human=result(2.0), sparse=result(1.0))
    names = ("g0c0 final seed 1", "human reward final seed 1", "sparse reward final seed 1")
    of_next = [name.replace("1", "2") for name in names]
    tracker = tracked(
        TrainingStarted((), ("g0c0 seed 2", "human reward seed 2")),
        SeedTrained(0, 2, 4, {"g0c0": 11.0, "human reward": 13.0}),
        TrainingStarted((), (*names, *of_next)),
        SeedReevaluated(final, 1, 2),
    )
    fitness = {name: (each or {}).get("result/fitness") for name, each in tracker.results.items()}
    assert fitness == {
        "g0c0 seed 2": 11.0,
        "human reward seed 2": 13.0,
        **dict(zip(names, (3.0, 2.0, 1.0), strict=True)),
        **dict.fromkeys(of_next),
    }


def test_candidate_that_a_race_stopped_gets_no_more_points() -> None:
    names = ("a", "b")
    tracker = tracked(
        TrainingStarted((), names),
        TrainingProgress(names, runs.progress(2, 0.1)),
        TrainingProgress(
            names, replace(runs.progress(2, 0.2, alive=[True, False]), components=({}, {}))
        ),
    )
    assert [len(tracker.curves[name]) for name in names] == [2, 1]

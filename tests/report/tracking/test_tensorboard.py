from __future__ import annotations

import math
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from eureka_agent.report.tracking.listener import TrackingListener
from eureka_agent.report.tracking.tensorboard import TensorBoardTracker
from eureka_agent.search.events import TrainingProgress, TrainingStarted
from tests.support import run_events as runs

TAGS = {
    "training/reward",
    "training/fitness",
    "training/episode_length",
    "optimiser/kl",
    "optimiser/learning_rate",
    "components/upright",
    "components/effort",
}


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        tag: [(one.step, one.value) for one in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def writer_to(folder: Path) -> TrackingListener:
    return TrackingListener(TensorBoardTracker(folder))


def test_a_folder_for_each_candidate_and_baseline(tmp_path: Path) -> None:
    writer = writer_to(tmp_path)
    outcomes = [runs.outcome(0, runs.completion(i), runs.evaluation(1.0)) for i in range(2)]
    for event in [*runs.baseline_training(), *runs.generation(0, outcomes, None)]:
        writer(event)
    assert {path.name for path in tmp_path.iterdir()} == {
        "human_reward",
        "sparse_reward",
        "g0c0",
        "g0c1",
    }
    read = curves(tmp_path / "g0c1")
    assert set(read) == TAGS
    assert [step for step, _ in read["training/reward"]] == [150_000, 750_000, 1_500_000]
    # no episode had ended at a tenth of the training: no point there instead of a NaN
    assert [step for step, _ in read["training/fitness"]] == [750_000, 1_500_000]
    assert math.isclose(read["training/fitness"][0][1], 12.3, rel_tol=1e-6)
    assert math.isclose(read["optimiser/learning_rate"][0][1], 1e-3, rel_tol=1e-6)
    assert [value for _, value in read["components/upright"]] == [0.75] * 3
    assert [value for _, value in read["components/effort"]] == [-0.25] * 3


def test_curves_can_be_read_while_the_training_runs(tmp_path: Path) -> None:
    writer = writer_to(tmp_path)
    writer(TrainingStarted((), ("a",)))
    writer(TrainingProgress(("a",), runs.progress(1, 0.1)))
    assert len(curves(tmp_path / "a")["training/reward"]) == 1
    writer.close()


def test_a_stopped_candidate_has_no_more_points(tmp_path: Path) -> None:
    writer = writer_to(tmp_path)
    names = ("a", "b")
    writer(TrainingStarted((), names))
    writer(TrainingProgress(names, runs.progress(2, 0.1)))
    writer(TrainingProgress(names, runs.progress(2, 0.2, alive=[True, False])))
    writer.close()
    assert len(curves(tmp_path / "a")["training/reward"]) == 2
    assert len(curves(tmp_path / "b")["training/reward"]) == 1


def test_a_training_that_starts_over_replaces_its_curves(tmp_path: Path) -> None:
    for share in (0.4, 0.1):
        writer = writer_to(tmp_path)
        writer(TrainingStarted((), ("a",)))
        writer(TrainingProgress(("a",), runs.progress(1, share)))
        writer.close()
    assert [step for step, _ in curves(tmp_path / "a")["training/reward"]] == [150_000]


def test_training_that_was_stopped_keeps_its_curves(tmp_path: Path) -> None:
    writer = writer_to(tmp_path)
    writer(TrainingStarted((), ("a",)))
    writer(TrainingProgress(("a",), runs.progress(1, 0.1)))
    writer.close()
    writer.close()  # a second time changes nothing
    assert set(curves(tmp_path / "a")) == TAGS

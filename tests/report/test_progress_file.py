"""`progress.json` follows the events of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka_agent.records import Generation
from eureka_agent.report.progress_file import ProgressFile
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.progress import RunProgressRecord, read_progress
from eureka_agent.runs.store import Store
from eureka_agent.search.events import (
    Event,
    FeedbackRequested,
    GenerationFinished,
    GenerationStarted,
    TrainingProgress,
    TrainingStarted,
)
from tests.support import run_events as runs

NAMES = ("g0c0", "g0c1")
OUTCOMES = (
    runs.outcome(0, runs.completion(0), runs.evaluation(2.0)),
    runs.outcome(0, runs.completion(1), runs.REFUSED),
)
RUN = (
    runs.run_started(runs.config()),
    GenerationStarted(0, 0),
    TrainingStarted((), NAMES),
    TrainingProgress(NAMES, runs.progress(2, 0.5)),
    FeedbackRequested(0),
    GenerationFinished(Generation(0, OUTCOMES, OUTCOMES[0])),
)


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path)


@pytest.fixture
def store(run: RunDir) -> Iterator[Store]:
    with Store.create(run.database, runs.config()) as store:
        yield store


def after(run: RunDir, store: Store, *events: Event) -> RunProgressRecord:
    clock = Clock()
    listener = ProgressFile(run, store, clock)
    for event in events:
        clock.now += 10.0
        listener(event)
    progress = read_progress(run)
    assert progress is not None
    return progress


@pytest.mark.parametrize(
    ("events", "activity"),
    [
        (1, "starting"),
        (2, "asking"),
        (3, "training"),
        (4, "training"),
        (5, "waiting"),
        (6, "asking"),
    ],
)
def test_the_activity_follows_the_events(
    run: RunDir, store: Store, events: int, activity: str
) -> None:
    assert after(run, store, *RUN[:events]).activity == activity


def test_a_training_is_shown_with_its_members(run: RunDir, store: Store) -> None:
    progress = after(run, store, *RUN[:4])
    assert [(each.name, each.phase, each.fitness) for each in progress.members] == [
        ("g0c0", "training", 12.3),
        ("g0c1", "training", 12.3),
    ]
    assert progress.environment_steps == progress.total_steps / 2
    assert progress.training_left_s is not None
    assert progress.generations == 2
    assert progress.finished_generations == 0


def test_a_finished_generation_counts_and_names_the_best(run: RunDir, store: Store) -> None:
    progress = after(run, store, *RUN)
    assert progress.finished_generations == 1
    assert (progress.best, progress.best_fitness) == ("g0c0", 2.0)


def test_without_a_fitness_no_fitness_is_written(run: RunDir, store: Store) -> None:
    started = runs.run_started(runs.config(task="wave", env="toy"))
    progress = after(run, store, started, *RUN[1:])
    assert progress.fitness_unit is None
    assert progress.best_fitness is None
    assert "12.3" not in run.progress.read_text()


def test_a_training_writes_once_a_second(run: RunDir, store: Store) -> None:
    clock = Clock()
    listener = ProgressFile(run, store, clock)
    for event in RUN[:3]:
        listener(event)
    run.progress.unlink()
    listener(RUN[3])
    assert not run.progress.exists()
    clock.now += 1.0
    listener(RUN[3])
    assert run.progress.exists()

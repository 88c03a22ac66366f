"""Write what a run does at the moment into its folder, for pages of other processes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from eureka_agent.report.formatting import unit_of
from eureka_agent.report.progress import RunProgress
from eureka_agent.runs.directory import RunDir, saving
from eureka_agent.runs.progress import Activity, MemberProgress, RunProgressRecord
from eureka_agent.runs.store import Store
from eureka_agent.search.events import (
    Event,
    FeedbackRequested,
    GenerationFinished,
    GenerationStarted,
    RunFinished,
    SeedReevaluated,
    TrainingProgress,
    TrainingStarted,
)
from eureka_agent.utils.files import write_file
from eureka_agent.utils.serialization import to_json

_MOST_OFTEN_S = 1.0


class ProgressFile:
    """A listener that keeps `progress.json` up to date: once a second while policies train."""

    def __init__(
        self, run_dir: RunDir, store: Store, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._dir = run_dir
        self._clock = clock
        self._progress = RunProgress(clock)
        self._activity: Activity = "starting"
        self._finished = 0
        self._started = store.metadata("started") or ""
        self._written_at = -math.inf

    def __call__(self, event: Event) -> None:
        """Apply the event and write the file if it is time. Raises StoreError."""
        self._progress.apply(event)
        self._activity = _activity(event) or self._activity
        if isinstance(event, GenerationFinished):
            self._finished = event.generation.index + 1
        elif isinstance(event, RunFinished) and event.stopped is None:
            self._finished = max(self._finished, self._planned)
        every = isinstance(event, TrainingProgress)
        if every and self._clock() - self._written_at < _MOST_OFTEN_S:
            return
        self._written_at = self._clock()
        if (record := self._record()) is not None:
            with saving(self._dir.path):
                write_file(self._dir.progress, to_json(record))

    @property
    def _planned(self) -> int:
        return self._progress.run.config.search.generations if self._progress.run else 0

    def _record(self) -> RunProgressRecord | None:
        progress, run = self._progress, self._progress.run
        if run is None:
            return None
        training, best, unit = progress.progress, progress.best, unit_of(run)
        return RunProgressRecord(
            task=run.task.name,
            instruction=run.config.task.instruction(run.task),
            fitness_unit=unit,
            started=self._started,
            activity=self._activity,
            generations=run.config.search.generations,
            finished_generations=self._finished,
            generation=progress.generation,
            best=best.candidate.name if best else None,
            best_fitness=_known(best.fitness) if best and unit is not None else None,
            cost=str(progress.cost),
            members=self._members(measured=unit is not None),
            environment_steps=training.environment_steps if training else 0,
            total_steps=training.total_steps if training else 0,
            training_left_s=progress.training_left_s,
            run_left_s=progress.run_left_s,
        )

    def _members(self, *, measured: bool) -> tuple[MemberProgress, ...]:
        return tuple(
            MemberProgress(name, row.phase, _known(row.fitness) if measured else None)
            for name, row in self._progress.rows.items()
        )


def _activity(event: Event) -> Activity | None:
    """Return what the run does after this event; None if that does not change."""
    match event:
        case GenerationStarted() | GenerationFinished():
            return "asking"
        case TrainingStarted() | SeedReevaluated():
            return "training"
        case FeedbackRequested():
            return "waiting"
        case RunFinished():
            return "finished"
    return None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None

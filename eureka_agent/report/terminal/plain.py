"""A run as plain lines, for logs and pipes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console

from eureka_agent.records import candidate_name
from eureka_agent.report import messages
from eureka_agent.report.formatting import (
    approximate,
    escape_control,
    number,
    one_line,
    quantity,
    unit_of,
)
from eureka_agent.report.length import Measure, takes
from eureka_agent.report.progress import RunProgress
from eureka_agent.report.terminal.page import plain_lines, put_lines
from eureka_agent.report.terminal.tables import final_table
from eureka_agent.search.events import (
    BaselinesMeasured,
    CandidateSkipped,
    CompletionReceived,
    Event,
    FeedbackRequested,
    GenerationFinished,
    GenerationStarted,
    InitialRewardEvaluated,
    RepairRequested,
    RequestRetried,
    RequestsAdapted,
    RunFinished,
    RunStarted,
    SeedReevaluated,
    SeedTrained,
    TrackingFailed,
    TrainingProgress,
    TrainingStarted,
)
from eureka_agent.training import Progress

_QUIET_S = 10.0
"""Least seconds between two lines about a training."""
_LONG_QUIET_S = 60.0
"""After this time a line is printed even without much progress."""
_NEWS = 0.1
"""Share of a training that is worth a line."""


class PlainLog:
    """Writes one line per event, after the time since the start, and the final table at the end.

    A training writes a line when 10 s and a tenth of it have passed since its last line, and at
    least once a minute. A context manager and a listener. It never writes escape codes.
    """

    def __init__(
        self,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        measure: Measure | None = None,
    ) -> None:
        """`measure`: measures how fast a run will train, so that its length is printed first."""
        self._console = console
        self._clock = clock
        self._measure = measure
        self._progress = RunProgress(clock)
        self._printed_at = 0.0
        self._printed_share = 0.0
        self._rejected: set[str] = set()

    def __enter__(self) -> PlainLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: nothing is open."""

    def __call__(self, event: Event) -> None:
        """Write the lines of `event`."""
        self._progress.apply(event)
        run = self._progress.run
        for line in self._lines(event, run):
            self._print(line)
        if isinstance(event, RunFinished) and run is not None:
            self._write("")
            for line in plain_lines(final_table(run, event)):
                self._write(line)

    def _lines(self, event: Event, run: RunStarted | None) -> list[str]:
        unit = unit_of(run)
        match event:
            case RunStarted():
                return [*messages.run_started(event), *self._length(event)]
            case InitialRewardEvaluated() if run:
                return [messages.initial_reward_evaluated(event, run)]
            case GenerationStarted() | FeedbackRequested() if run:
                return messages.about_generation(event, run)
            case RequestRetried() | RequestsAdapted() | CompletionReceived():
                return self._from_model(event)
            case RepairRequested() | CandidateSkipped():
                return [self._failed(event, unit)]
            case TrainingStarted():
                self._printed_at = self._clock()
                self._printed_share = 0.0
                return [f"Training {', '.join(event.names)}.", *messages.training_started(event)]
            case TrainingProgress():
                return self._training(event.progress, unit)
            case BaselinesMeasured():
                return messages.baselines_measured(event, unit)
            case SeedTrained() | SeedReevaluated() | TrackingFailed():
                return [messages.news(event, unit)]
            case GenerationFinished() if run:
                news = [
                    o for o in event.generation.outcomes if o.candidate.name not in self._rejected
                ]
                return [
                    messages.candidate_result(o, unit) for o in news
                ] + messages.generation_finished(event, run)
            case RunFinished():
                return [messages.best_reward(event, unit)]
        return []

    def _from_model(
        self, event: RequestRetried | RequestsAdapted | CompletionReceived
    ) -> list[str]:
        if isinstance(event, RequestRetried):
            line = messages.asked_again(event, repeated=self._progress.repeated)
            return [line] if self._progress.later_try else []
        if isinstance(event, RequestsAdapted):
            return [one_line(event.what)]
        cut = " (cut at the token limit)" if event.completion.truncated else ""
        return [f"{candidate_name(event.generation, event.completion.index)} proposed{cut}."]

    def _length(self, run: RunStarted) -> list[str]:
        speed = self._measure(run) if self._measure else None
        return [takes(run, speed)] if speed else []

    def _failed(self, event: RepairRequested | CandidateSkipped, unit: str | None) -> str:
        if isinstance(event, RepairRequested):
            return messages.repair_requested(event.outcome)
        self._rejected.add(event.outcome.candidate.name)
        return messages.candidate_result(event.outcome, unit)

    def _training(self, progress: Progress, unit: str | None) -> list[str]:
        share = progress.environment_steps / max(1, progress.total_steps)
        quiet = self._clock() - self._printed_at
        if not (
            share >= 1.0
            or (
                quiet >= _QUIET_S
                and (share - self._printed_share >= _NEWS or quiet >= _LONG_QUIET_S)
            )
        ):
            return []
        self._printed_at = self._clock()
        self._printed_share = share
        parts = [
            (
                f"{100 * share:.0f} % trained ({quantity(progress.environment_steps)} environment"
                " steps each)"
            ),
            f"{quantity(progress.steps_per_second)} steps/s",
        ]
        left = self._progress.training_left_s
        if left is not None and share < 1.0:
            parts.append(f"{approximate(left)} left")
        if unit is not None:
            best = self._progress.best_training_fitness
            parts.append(
                "no episode ended yet"
                if math.isnan(best)
                else f"best training fitness so far {number(best)}"
            )
        if not all(progress.alive):
            parts.append(f"{len(progress.alive) - sum(progress.alive)} stopped")
        return [", ".join(parts) + "."]

    def _print(self, line: str) -> None:
        seconds = int(self._progress.elapsed_s)
        self._write(f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}  {line}")

    def _write(self, text: str) -> None:
        put_lines(self._console, [escape_control(text)])

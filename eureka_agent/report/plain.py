"""A run as plain lines, for logs and pipes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console

from eureka_agent.records import candidate_name
from eureka_agent.report import messages as sentences
from eureka_agent.report.formatting import (
    approximate,
    escape_control,
    number,
    one_line,
    quantity,
    unit_of,
)
from eureka_agent.report.length import Measure, takes
from eureka_agent.report.page import plain_lines, put_lines
from eureka_agent.report.progress import RunProgress
from eureka_agent.report.tables import final_table
from eureka_agent.search.events import (
    Adapted,
    AskedAgain,
    BaselinesMeasured,
    CandidateSkipped,
    CompletionReceived,
    Event,
    GenerationFinished,
    GenerationStarted,
    InitialRewardEvaluated,
    RepairRequested,
    RunFinished,
    RunStarted,
    SeedReevaluated,
    TrainingProgress,
    TrainingStarted,
)
from eureka_agent.training import Progress

_QUIET_S, _LONG_QUIET_S, _NEWS = 10.0, 60.0, 0.1


class PlainLog:
    """One line for each thing that happens, after the time since the start; at the end the final
    table.

    Training says where it stands when 10 s and a tenth of it have passed since it last did, and
    once a minute. A context manager and a listener. Writes no escape codes of its own, whatever the
    console would allow.
    """

    def __init__(
        self,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        measure: Measure | None = None,
    ) -> None:
        """`measure`: how fast a run will train, so that it can be said at the start how long it
        takes."""
        self._console, self._clock, self._measure = console, clock, measure
        self._board = RunProgress(clock)
        self._said_at, self._said_share = 0.0, 0.0
        self._rejected: set[str] = set()

    def __enter__(self) -> PlainLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held open."""

    def __call__(self, event: Event) -> None:
        """Write what `event` tells."""
        self._board.apply(event)
        run = self._board.run
        for line in self._lines(event, run):
            self._say(line)
        if isinstance(event, RunFinished) and run is not None:
            self._write("")
            for line in plain_lines(final_table(run, event)):
                self._write(line)

    def _lines(self, event: Event, run: RunStarted | None) -> list[str]:
        unit = unit_of(run)
        match event:
            case RunStarted():
                return [*sentences.run_started(event), *self._length(event)]
            case InitialRewardEvaluated() if run:
                return [sentences.start_measured(event, run)]
            case GenerationStarted() if run:
                return [sentences.generation_started(event, run)]
            case AskedAgain() | Adapted() | CompletionReceived():
                return self._from_model(event)
            case RepairRequested() | CandidateSkipped():
                return [self._turned_down(event, unit)]
            case TrainingStarted():
                self._said_at, self._said_share = self._clock(), 0.0
                return [f"Training {', '.join(event.names)}.", *sentences.training_started(event)]
            case TrainingProgress():
                return self._training(event.progress, unit)
            case BaselinesMeasured():
                return sentences.baselines_measured(event, unit)
            case SeedReevaluated():
                return [sentences.final_measured(event, unit)]
            case GenerationFinished() if run:
                news = [
                    o for o in event.generation.outcomes if o.candidate.name not in self._rejected
                ]
                return [
                    sentences.outcome_known(o, unit) for o in news
                ] + sentences.generation_finished(event, run)
            case RunFinished():
                return [sentences.best_reward(event, unit)]
        return []

    def _from_model(self, event: AskedAgain | Adapted | CompletionReceived) -> list[str]:
        if isinstance(event, AskedAgain):
            line = sentences.asked_again(event, repeated=self._board.repeated)
            return [line] if self._board.later_try else []
        if isinstance(event, Adapted):
            return [one_line(event.what)]
        cut = " (cut at the token limit)" if event.completion.truncated else ""
        return [f"{candidate_name(event.generation, event.completion.index)} proposed{cut}."]

    def _length(self, run: RunStarted) -> list[str]:
        speed = self._measure(run) if self._measure else None
        return [takes(run, speed)] if speed else []

    def _turned_down(self, event: RepairRequested | CandidateSkipped, unit: str | None) -> str:
        if isinstance(event, RepairRequested):
            return sentences.sent_back(event.outcome)
        self._rejected.add(event.outcome.candidate.name)
        return sentences.outcome_known(event.outcome, unit)

    def _training(self, progress: Progress, unit: str | None) -> list[str]:
        share = progress.environment_steps / max(1, progress.total_steps)
        quiet = self._clock() - self._said_at
        if not (
            share >= 1.0
            or (quiet >= _QUIET_S and (share - self._said_share >= _NEWS or quiet >= _LONG_QUIET_S))
        ):
            return []
        self._said_at, self._said_share = self._clock(), share
        parts = [
            (
                f"{100 * share:.0f} % trained ({quantity(progress.environment_steps)} environment"
                " steps each)"
            ),
            f"{quantity(progress.steps_per_second)} steps/s",
        ]
        left = self._board.training_left_s
        if left is not None and share < 1.0:
            parts.append(f"{approximate(left)} left")
        if unit is not None:
            best = self._board.best_training_fitness
            parts.append(
                "no episode ended yet"
                if math.isnan(best)
                else f"best training fitness so far {number(best)}"
            )
        if not all(progress.alive):
            parts.append(f"{len(progress.alive) - sum(progress.alive)} stopped")
        return [", ".join(parts) + "."]

    def _say(self, line: str) -> None:
        seconds = int(self._board.elapsed_s)
        self._write(f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}  {line}")

    def _write(self, text: str) -> None:
        put_lines(self._console, [escape_control(text)])

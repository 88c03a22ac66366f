"""A run on a terminal: a small region that is redrawn in place, and permanent lines above it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from eureka_agent.report import messages
from eureka_agent.report.formatting import (
    approximate,
    duration,
    fitness,
    generation_title,
    number,
    one_line,
    quantity,
    summarise,
    unit_of,
)
from eureka_agent.report.length import Measure, takes
from eureka_agent.report.progress import CandidateStatus, RunProgress
from eureka_agent.report.terminal.page import message_line, put
from eureka_agent.report.terminal.tables import final_table
from eureka_agent.search.events import (
    BaselinesMeasured,
    Event,
    FeedbackRequested,
    GenerationFinished,
    GenerationStarted,
    InitialRewardEvaluated,
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

_REDRAWS_PER_SECOND = 4
_BAR, _NAME = 20, 20
_STYLES = {"training": "cyan", "evaluating": "cyan", "done": "green"}


class LiveDisplay:
    """Shows the work in progress, one row per candidate; results are printed above and stay.

    A context manager and a listener. At the end of the run the final table replaces the region. If
    the run is interrupted, the last state stays on the screen. The cursor is restored in both
    cases. If a person is the judge, the region shows only while policies train, so that it never
    overwrites a question.
    """

    def __init__(
        self,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        measure: Measure | None = None,
    ) -> None:
        """`measure`: measures how fast a run will train, so that its length is printed first."""
        self._console = console
        self._measure = measure
        self._progress = RunProgress(clock)
        self._lock = threading.Lock()  # the redrawing thread reads what events change
        self._live: Live | None = None

    def __enter__(self) -> LiveDisplay:
        self._show()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore the terminal."""
        self._hide(keep=kind is not None)

    def __call__(self, event: Event) -> None:
        """Apply `event`; the next redraw shows it."""
        with self._lock:
            self._progress.apply(event)
            run = self._progress.run
        if isinstance(event, RunFinished) or (run and run.needs_terminal and not _trains(event)):
            self._hide()
        # Before the start, a judge may read from the terminal.
        elif self._live is None and run and self._progress.finished is None:
            self._show()
        self._print(event, run)

    def render(self) -> RenderableType:
        """Return the current region, which is never taller than the terminal."""
        with self._lock:
            if self._progress.run is None and not self._progress.rows:
                return Group()
            head = self._head()
            return Group(
                Text(), head, Text(), *self._rows(max(1, self._console.height - head.row_count - 3))
            )

    def _print(self, event: Event, run: RunStarted | None) -> None:
        """Print the permanent lines of an event."""
        lines: list[str] = []
        match event:
            case RunStarted():
                lines = [*messages.run_started(event), *self._length(event)]
            case InitialRewardEvaluated() if run:
                lines = [messages.initial_reward_evaluated(event, run)]
            case GenerationStarted() if run and run.needs_terminal:
                lines = [messages.generation_started(event, run)]
            case RequestRetried() if not self._progress.repeated:  # else its row shows the attempt
                lines = [messages.asked_again(event)]
            case RequestsAdapted():
                lines = [one_line(event.what)]
            case TrainingStarted():
                lines = messages.training_started(event)
            case BaselinesMeasured() if run:
                lines = messages.baselines_measured(event, unit_of(run))
            case SeedTrained() | SeedReevaluated() | TrackingFailed() if run:
                lines = [messages.news(event, unit_of(run))]
            case FeedbackRequested() | GenerationFinished() if run:
                lines = messages.about_generation(event, run)
            case RunFinished() if run:
                put(self._console, Text(), final_table(run, event))
        for line in lines:
            put(self._console, message_line(line))

    def _length(self, run: RunStarted) -> list[str]:
        speed = self._measure(run) if self._measure else None
        if not speed:
            return []
        with self._lock:
            self._progress.set_expected_speed(speed)
        return [takes(run, speed)]

    def _show(self) -> None:
        self._live = Live(
            console=self._console,
            get_renderable=self.render,
            refresh_per_second=_REDRAWS_PER_SECOND,
            transient=True,
        )
        self._live.start()

    def _hide(self, keep: bool = False) -> None:
        if self._live is not None:
            self._live.transient = not keep
            self._live.stop()
            self._live = None

    # ------------------------------------------------------------------ the head
    def _head(self) -> Table:
        progress, run = self._progress, self._progress.run
        head = Table.grid(padding=(0, 2, 0, 0), expand=True)
        head.add_column(style="dim", no_wrap=True)
        head.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        if run and progress.generation is not None:
            title, _, which = generation_title(progress.generation, run.config).partition(" ")
            head.add_row(title, which)
            head.add_row("Best so far", self._best())
        head.add_row("Time", self._time())
        if progress.progress is not None:
            head.add_row(
                "Speed", f"{quantity(progress.progress.steps_per_second)} environment steps/s"
            )
        if str(progress.cost):
            head.add_row("Cost", str(progress.cost))
        return head

    def _best(self) -> str:
        best, unit = self._progress.best, unit_of(self._progress.run)
        text = "none yet"
        if best and best.overall:
            result = (
                summarise(best.overall, None) if unit is None else f"{fitness(best.overall)} {unit}"
            )
            text = f"{best.candidate.name}, {result}"
        human = [number(b.overall.fitness) for b in self._progress.baselines if b.name == "human"]
        return f"{text}; human reward {human[0]}" if human else text

    def _time(self) -> str:
        progress = self._progress
        parts = [duration(progress.elapsed_s)]
        if progress.run_left_s is not None:
            parts.append(f"{approximate(progress.run_left_s)} left")
        if progress.training_left_s is not None:
            parts.append(f"this training {approximate(progress.training_left_s)}")
        return ", ".join(parts)

    # ------------------------------------------------------------------ the rows
    def _rows(self, room: int) -> list[RenderableType]:
        rows = list(self._progress.rows.items())
        hidden = len(rows) - room + 1 if len(rows) > room else 0
        grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
        grid.add_column(
            no_wrap=True, width=min(_NAME, max((len(name) for name, _ in rows), default=0))
        )
        grid.add_column(no_wrap=True, width=len("evaluating"))
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for name, row in rows[: len(rows) - hidden]:
            phase = Text(row.phase, _STYLES.get(row.phase, "dim"))
            grid.add_row(Text(one_line(name)), phase, self._detail(row))
        return [grid, Text(f"and {hidden} more", "dim")] if hidden else [grid]

    def _detail(self, row: CandidateStatus) -> Text:
        run, unit = self._progress.run, unit_of(self._progress.run)
        match row.phase:
            case "waiting":
                again = f", try {row.attempt[0]} of {row.attempt[1]}" if row.attempt[0] > 1 else ""
                return Text(
                    f"for the model{again}" if run and run.config.models.weights else "", "dim"
                )
            case "training" | "evaluating":
                return self._training(row, unit)
            case "stopped":
                return Text("its reward failed; the others go on", "dim")
            case "done" if row.outcome and row.outcome.overall:
                best = row.outcome == self._progress.best
                return Text(summarise(row.outcome.overall, unit), "bold" if best else "")
            case _:
                return Text(one_line(row.reason or ""), "dim")

    def _training(self, row: CandidateStatus, unit: str | None) -> Text:
        progress = self._progress.progress
        if progress is None:
            return _bar(0.0)
        steps = f"{quantity(progress.environment_steps)} of {quantity(progress.total_steps)} steps"
        parts = (
            []
            if unit is None
            else ["no episode yet" if math.isnan(row.fitness) else f"fitness {number(row.fitness)}"]
        )
        bar = _bar(progress.environment_steps / max(1, progress.total_steps))
        return Text.assemble(bar, "".join(f"  {part}" for part in (*parts, steps)))


def _trains(event: Event) -> bool:
    """Whether policies train after this event."""
    if isinstance(event, TrainingProgress):
        return event.progress.environment_steps < event.progress.total_steps
    return isinstance(event, TrainingStarted)


def _bar(share: float) -> Text:
    full = min(_BAR, max(0, int(share * _BAR)))
    return Text.assemble(("━" * full, "cyan"), ("─" * (_BAR - full), "dim"))

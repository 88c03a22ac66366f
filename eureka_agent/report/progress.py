"""Where a run stands, folded from its events."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from eureka_agent.records import Baseline, Completion, Generation, Outcome, candidate_name
from eureka_agent.report.cost import Cost
from eureka_agent.search.events import (
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

Phase = Literal[
    "waiting", "proposed", "rejected", "training", "stopped", "evaluating", "done", "failed"
]


@dataclass
class CandidateStatus:
    """One candidate, or one baseline that is being trained."""

    phase: Phase = "waiting"
    outcome: Outcome | None = None
    """Known once it was rejected or its generation is over."""
    fitness: float = math.nan
    """Of the training episodes that ended last; NaN before the first one."""
    attempt: tuple[int, int] = (1, 1)
    """Which try of how many its request is at."""

    @property
    def reason(self) -> str:
        """Why it has no fitness."""
        failure = self.outcome.failure if self.outcome else None
        return failure.message if failure else ""


class RunProgress:
    """Takes in events in order; the displays read it.

    Estimates use the speed of the latest training, and before the first one the speed that is
    expected.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.run: RunStarted | None = None
        self.generation: int | None = None
        self.rows: dict[str, CandidateStatus] = {}
        """What to show now: the generation's candidates, or the baselines while they are
        trained."""
        self.progress: Progress | None = None
        """Of the training under way; None between trainings."""
        self.best_training_fitness = math.nan
        """The best point of all members' curves so far, in the training under way; NaN before an
        episode ended."""
        self.best: Outcome | None = None
        self.baselines: tuple[Baseline, ...] = ()
        self.finished: RunFinished | None = None
        self.repeated = False
        """Whether the last request that is asked again failed for a reason that was told before."""
        self.later_try = False
        """Whether no request that failed for this reason came so far: of many, the first tells of
        the rest."""
        self._tries: dict[str, int] = {}
        self._clock, self._start = clock, clock()
        self._candidates: dict[str, CandidateStatus] = {}
        self._completions: dict[tuple[int, int, int], Completion] = {}
        self._training_seconds: dict[tuple[str, ...], float] = {}
        self._steps_per_second = 0.0
        self._begun: set[int] = set()
        self._finals_left: int | None = None

    def apply(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case RunStarted():
                self.run, self._start = event, self._clock()
            case InitialRewardEvaluated():
                self.best, self.progress = event.outcome, None
            case GenerationStarted():
                self._begin(event.generation, event.attempt)
            case AskedAgain() | CompletionReceived():
                self._take_from_model(event)
            case RepairRequested() | CandidateSkipped():
                self._reject(event)
            case TrainingStarted():
                started = {name: CandidateStatus("training") for name in event.names}
                self._candidates.update(started if event.candidates else {})
                self.rows, self.progress = self._candidates if event.candidates else started, None
                self.best_training_fitness = math.nan
            case TrainingProgress():
                self._advance(event.names, event.progress)
            case BaselinesMeasured():
                self.baselines, self.rows, self.progress = event.baselines, self._candidates, None
            case GenerationFinished():
                self._finish(event.generation)
            case SeedReevaluated():
                self._finals_left, self.progress = event.of - event.number, None
            case RunFinished():
                self.finished, self.best, self.progress = event, event.best, None

    def expect(self, steps_per_second: float) -> None:
        """Estimate with this speed until the first training has one."""
        self._steps_per_second = self._steps_per_second or steps_per_second

    # ------------------------------------------------------------------ what can be asked
    @property
    def elapsed_s(self) -> float:
        """Seconds since the run started (or was resumed)."""
        return self._clock() - self._start

    @property
    def cost(self) -> Cost:
        """Of all completions so far."""
        return Cost.of(self._completions.values())

    @property
    def training_left_s(self) -> float | None:
        """Seconds until the training under way is over; None when there is none."""
        return (
            self._steps_left / self._steps_per_second
            if self._steps_left and self._steps_per_second
            else None
        )

    @property
    def run_left_s(self) -> float | None:
        """Seconds until the run is over, if all that is to come trains as fast; None before any
        training."""
        if self.run is None or self.finished is not None or not self._steps_per_second:
            return None
        config = self.run.config
        generations = config.generations - (0 if self.generation is None else self.generation + 1)
        members = generations * config.samples + sum(
            row.phase in ("waiting", "proposed") for row in self._candidates.values()
        )
        if (
            config.baselines
            and config.has_fitness
            and not self.baselines
            and (self.progress is None or self.rows is self._candidates)
        ):
            members += 2  # the human and the sparse reward
        left = config.final_seeds if self._finals_left is None else self._finals_left
        finals = 3 * max(0, left - (self.rows is not self._candidates and self.best is not None))
        share = config.race.share(config.samples) if config.race else 1.0
        budget = self.run.budget
        steps_each = max(
            budget.environment_steps, budget.num_envs * budget.horizon
        )  # one iteration at least
        steps = (members * share + finals) * steps_each + self._steps_left
        other = max(0.0, self.elapsed_s - sum(self._training_seconds.values()))
        return steps / self._steps_per_second + generations * other / max(1, len(self._begun))

    @property
    def _steps_left(self) -> int:
        """Environment steps that the training under way still has to do, over all its members."""
        if self.progress is None:
            return 0
        return (self.progress.total_steps - self.progress.environment_steps) * sum(
            self.progress.alive
        )

    # ------------------------------------------------------------------ events
    def _row(self, name: str) -> CandidateStatus:
        return self._candidates.setdefault(name, CandidateStatus())

    def _take_from_model(self, event: AskedAgain | CompletionReceived) -> None:
        if isinstance(event, CompletionReceived):
            self._take_in(event.generation, event.completion)
            self._row(candidate_name(event.generation, event.completion.index)).phase = "proposed"
            return
        told = self._tries.get(event.reason, 0)
        self.repeated, self.later_try = told > 0, event.attempt > told
        self._tries[event.reason] = max(told, event.attempt)
        if event.sample in self._candidates:
            self._candidates[event.sample].attempt = (event.attempt, event.of)

    def _reject(self, event: RepairRequested | CandidateSkipped) -> None:
        phase: Phase = "waiting"
        if isinstance(event, CandidateSkipped):
            phase = "done" if event.outcome.evaluation else "rejected"
        self._candidates[event.outcome.candidate.name] = CandidateStatus(phase, event.outcome)

    def _take_in(self, generation: int, answer: Completion) -> None:
        """Keep an answer for its cost; one that was sent back stays beside the one that came in its
        place."""
        self._completions[generation, answer.index, answer.repair] = answer

    def _begin(self, generation: int, attempt: int) -> None:
        samples = self.run.config.samples if self.run else 0
        self._begun.add(generation)
        self.generation, self.progress = generation, None
        indices = range(attempt * samples, (attempt + 1) * samples)
        self._candidates = self.rows = {
            candidate_name(generation, index): CandidateStatus() for index in indices
        }

    def _advance(self, names: tuple[str, ...], progress: Progress) -> None:
        over = progress.environment_steps >= progress.total_steps
        self.progress, self._steps_per_second = progress, progress.steps_per_second
        self._training_seconds[names] = progress.seconds
        for name, alive, fitness in zip(names, progress.alive, progress.fitness, strict=True):
            row = self.rows.setdefault(name, CandidateStatus())
            row.phase = "stopped" if not alive else "evaluating" if over else "training"
            if math.isfinite(fitness):
                row.fitness = fitness
                self.best_training_fitness = max(fitness, _or_lowest(self.best_training_fitness))

    def _finish(self, generation: Generation) -> None:
        self.generation, self.best, self.progress = generation.index, generation.best, None
        self._candidates = self.rows = {
            outcome.candidate.name: CandidateStatus(
                "done" if outcome.evaluation else "failed", outcome
            )
            for outcome in generation.outcomes
        }
        for outcome in generation.outcomes:
            self._take_in(generation.index, outcome.candidate.completion)


def _or_lowest(value: float) -> float:
    return -math.inf if math.isnan(value) else value

"""The state of a run, computed from its events."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from eureka_agent.records import Baseline, Completion, Generation, Outcome, candidate_name
from eureka_agent.report.cost import Cost
from eureka_agent.search.events import (
    BaselinesMeasured,
    CandidateSkipped,
    CompletionReceived,
    Event,
    GenerationFinished,
    GenerationStarted,
    InitialRewardEvaluated,
    RepairRequested,
    RequestRetried,
    RunFinished,
    RunStarted,
    SeedReevaluated,
    SeedTrained,
    TrainingProgress,
    TrainingStarted,
)
from eureka_agent.training import Progress

Phase = Literal[
    "waiting", "proposed", "rejected", "training", "stopped", "evaluating", "done", "failed"
]


@dataclass
class CandidateStatus:
    """The state of one candidate, or of one baseline in training."""

    phase: Phase = "waiting"
    outcome: Outcome | None = None
    """Known when it was rejected or its generation is finished."""
    fitness: float = math.nan
    """Of the training episodes that ended last; NaN before the first one ends."""
    attempt: tuple[int, int] = (1, 1)
    """The current attempt of its request, and the largest number of attempts."""

    @property
    def reason(self) -> str | None:
        """Why it has no fitness; None if it has one or is not finished."""
        failure = self.outcome.failure if self.outcome else None
        return failure.message if failure else None


class RunProgress:
    """The state of a run for displays; `apply` updates it with each event, in order.

    Estimates use the speed of the latest training, or the expected speed before the first one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.run: RunStarted | None = None
        self.generation: int | None = None
        self.rows: dict[str, CandidateStatus] = {}
        """What to show: the generation's candidates, or the baselines while they train."""
        self.progress: Progress | None = None
        """Of the training in progress; None between trainings."""
        self.best_training_fitness = math.nan
        """The best point of all curves of the training in progress; NaN before an episode ends."""
        self.best: Outcome | None = None
        self.baselines: tuple[Baseline, ...] = ()
        self.finished: RunFinished | None = None
        self.repeated = False
        """Whether the last failed request has a reason that was reported before."""
        self.later_try = False
        """Whether no other request with this reason has reached this attempt yet; of many requests
        only the first is reported."""
        self._attempts_by_reason: dict[str, int] = {}
        self._clock = clock
        self._start = clock()
        self._candidates: dict[str, CandidateStatus] = {}
        self._completions: dict[tuple[int, int, int], Completion] = {}
        self._training_seconds: dict[tuple[str, ...], float] = {}
        self._steps_per_second = 0.0
        self._started_generations: set[int] = set()
        self._finals_left: int | None = None

    def apply(self, event: Event) -> None:
        """Update the state with one event."""
        match event:
            case RunStarted():
                self.run, self._start = event, self._clock()
            case InitialRewardEvaluated():
                self.best, self.progress = event.outcome, None
            case GenerationStarted():
                self._begin(event.generation, event.attempt)
            case RequestRetried() | CompletionReceived():
                self._apply_from_model(event)
            case RepairRequested() | CandidateSkipped():
                self._reject(event)
            case TrainingStarted():
                started = {name: CandidateStatus("training") for name in event.names}
                self._candidates.update(started if event.candidates else {})
                self.rows, self.progress = self._candidates if event.candidates else started, None
                self.best_training_fitness = math.nan
            case TrainingProgress():
                self._advance(event.names, event.progress)
            case BaselinesMeasured() | SeedTrained():
                self._show_candidates(event)
            case GenerationFinished():
                self._finish(event.generation)
            case SeedReevaluated():
                self._finals_left, self.progress = event.of - event.number, None
            case RunFinished():
                self.finished, self.best, self.progress = event, event.best, None

    def set_expected_speed(self, steps_per_second: float) -> None:
        """Use this speed for estimates until the first training reports its own."""
        self._steps_per_second = self._steps_per_second or steps_per_second

    # ------------------------------------------------------------------ estimates
    @property
    def elapsed_s(self) -> float:
        """Seconds since the run started or was resumed."""
        return self._clock() - self._start

    @property
    def cost(self) -> Cost:
        """Of all completions so far."""
        return Cost.of(self._completions.values())

    @property
    def training_left_s(self) -> float | None:
        """Seconds until the training in progress ends; None if there is none."""
        return (
            self._steps_left / self._steps_per_second
            if self._steps_left and self._steps_per_second
            else None
        )

    @property
    def run_left_s(self) -> float | None:
        """Seconds until the run ends at the current speed; None before any training."""
        if self.run is None or self.finished is not None or not self._steps_per_second:
            return None
        config = self.run.config
        generations = config.search.generations - (
            0 if self.generation is None else self.generation + 1
        )
        members = sum(row.phase in ("waiting", "proposed") for row in self._candidates.values())
        members += generations * config.search.samples
        further = config.search.trainings_per_generation - config.search.samples
        seeds = generations * further if config.task.has_fitness else 0
        if (
            config.search.baselines
            and config.task.has_fitness
            and not self.baselines
            and (self.progress is None or self.rows is self._candidates)
        ):
            members += 2  # the human and the sparse reward
            seeds += 2 * (config.search.seeds - 1)
        left = config.search.final_seeds if self._finals_left is None else self._finals_left
        finals = 3 * max(0, left - (self.rows is not self._candidates and self.best is not None))
        share = config.race.share(config.search.samples) if config.race else 1.0
        budget = self.run.budget
        # At least one iteration.
        steps_each = max(budget.environment_steps, budget.num_envs * budget.horizon)
        steps = (members * share + seeds + finals) * steps_each + self._steps_left
        other = max(0.0, self.elapsed_s - sum(self._training_seconds.values()))
        return steps / self._steps_per_second + generations * other / max(
            1, len(self._started_generations)
        )

    @property
    def _steps_left(self) -> int:
        """Remaining environment steps of the training in progress, over all its members."""
        if self.progress is None:
            return 0
        return (self.progress.total_steps - self.progress.environment_steps) * sum(
            self.progress.alive
        )

    # ------------------------------------------------------------------ events
    def _show_candidates(self, event: BaselinesMeasured | SeedTrained) -> None:
        """Show the candidates again after a training of references or of further seeds."""
        self.rows, self.progress = self._candidates, None
        if isinstance(event, BaselinesMeasured):
            self.baselines = event.baselines

    def _row(self, name: str) -> CandidateStatus:
        return self._candidates.setdefault(name, CandidateStatus())

    def _apply_from_model(self, event: RequestRetried | CompletionReceived) -> None:
        if isinstance(event, CompletionReceived):
            self._count_completion(event.generation, event.completion)
            self._row(candidate_name(event.generation, event.completion.index)).phase = "proposed"
            return
        reported = self._attempts_by_reason.get(event.reason, 0)
        self.repeated = reported > 0
        self.later_try = event.attempt > reported
        self._attempts_by_reason[event.reason] = max(reported, event.attempt)
        if event.sample in self._candidates:
            self._candidates[event.sample].attempt = (event.attempt, event.of)

    def _reject(self, event: RepairRequested | CandidateSkipped) -> None:
        phase: Phase = "waiting"
        if isinstance(event, CandidateSkipped):
            phase = "done" if event.outcome.evaluation else "rejected"
        self._candidates[event.outcome.candidate.name] = CandidateStatus(phase, event.outcome)

    def _count_completion(self, generation: int, completion: Completion) -> None:
        """Remember a completion for its cost; one that was sent back still counts."""
        self._completions[generation, completion.index, completion.repair] = completion

    def _begin(self, generation: int, attempt: int) -> None:
        samples = self.run.config.search.samples if self.run else 0
        self._started_generations.add(generation)
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
                self.best_training_fitness = max(
                    fitness, _nan_as_lowest(self.best_training_fitness)
                )

    def _finish(self, generation: Generation) -> None:
        self.generation, self.best, self.progress = generation.index, generation.best, None
        self._candidates = self.rows = {
            outcome.candidate.name: CandidateStatus(
                "done" if outcome.evaluation else "failed", outcome
            )
            for outcome in generation.outcomes
        }
        for outcome in generation.outcomes:
            self._count_completion(generation.index, outcome.candidate.completion)


def _nan_as_lowest(value: float) -> float:
    return -math.inf if math.isnan(value) else value

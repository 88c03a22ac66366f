"""What a run tells while it works: a display, a log or a test listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from eureka_agent.config import SynthesisConfig, TrainingBudget
from eureka_agent.proposers.events import Adapted as Adapted
from eureka_agent.proposers.events import AskedAgain as AskedAgain
from eureka_agent.records import (
    Baseline,
    Candidate,
    Completion,
    Generation,
    Outcome,
    ReevaluationSeed,
)
from eureka_agent.tasks.task import Task
from eureka_agent.training import Progress


@dataclass(frozen=True)
class RunStarted:
    """The run's folder exists and the wall stands."""

    path: Path
    task: Task
    config: SynthesisConfig
    budget: TrainingBudget
    announcement: str
    """One line that says who proposes the rewards."""
    sandbox: str
    """One line that says which layers of the sandbox hold."""
    resumed: bool


@dataclass(frozen=True)
class InitialRewardEvaluated:
    """The reward that the search was given to start from was tried out, and is the best so far."""

    outcome: Outcome


@dataclass(frozen=True)
class GenerationStarted:
    """A generation's prompt was written."""

    generation: int
    attempt: int = 0
    """Above 0 when every candidate of the attempts before failed, and the generation is asked for
    again."""


@dataclass(frozen=True)
class CompletionReceived:
    """A completion arrived (or was found in the store)."""

    generation: int
    completion: Completion


@dataclass(frozen=True)
class RepairRequested:
    """An answer failed the checks or the probe, and is sent back to its proposer with the
    reason."""

    outcome: Outcome


@dataclass(frozen=True)
class CandidateSkipped:
    """A candidate did not get to training: it failed before, was refused, or computes what an
    earlier one does."""

    outcome: Outcome


@dataclass(frozen=True)
class InternalErrorRaised:
    """eureka_agent itself broke on a candidate, which is lost; the run goes on."""

    name: str
    """The candidate's."""
    trace: str
    """The traceback."""


@dataclass(frozen=True)
class TrainingStarted:
    """A population starts to train: candidates, or baselines when `candidates` is empty."""

    candidates: tuple[Candidate, ...]
    names: tuple[str, ...]
    """One short name a member: `g0c3`, or `human reward`."""
    where: str = ""
    """One sentence that says where the rewards are computed; empty when that is behind the wall on
    the CPU."""
    saved: str = ""
    """One sentence that says why what was saved of this training is not used; empty when it is, or
    there is none."""


@dataclass(frozen=True)
class TrainingProgress:
    """An iteration of the population's training is over; `progress` has one entry a member of
    `names`."""

    names: tuple[str, ...]
    progress: Progress


@dataclass(frozen=True)
class BaselinesMeasured:
    """The references that candidates are compared with."""

    baselines: tuple[Baseline, ...]


@dataclass(frozen=True)
class GenerationFinished:
    """All outcomes of a generation are known and stored."""

    generation: Generation


@dataclass(frozen=True)
class SeedReevaluated:
    """The best reward and the references were trained with one of the final seeds."""

    final: ReevaluationSeed
    number: int
    """From 1."""
    of: int


@dataclass(frozen=True)
class RunFinished:
    """The search is over and everything is written."""

    path: Path
    best: Outcome | None
    baselines: tuple[Baseline, ...]
    outcomes: tuple[Outcome, ...]
    human_normalised: float | None
    """`(best - sparse) / |human - sparse|` (Eureka, section 4); None without baselines or where the
    two are alike."""
    environment_steps: int
    """Over all trainings of the run."""
    seconds: float
    """Spent on training and evaluation, over all sittings of the run."""
    finals: tuple[ReevaluationSeed, ...] = ()
    """Trainings of the best reward with other seeds, where they were asked for."""
    replaced: tuple[Completion, ...] = ()
    """Answers that were paid for and are no candidate's, since others came in their place."""
    stopped: str = ""
    """Which limit ended the search before its last generation, in one sentence; empty when none
    did."""


Event: TypeAlias = (
    RunStarted
    | InitialRewardEvaluated
    | GenerationStarted
    | AskedAgain
    | Adapted
    | CompletionReceived
    | RepairRequested
    | CandidateSkipped
    | InternalErrorRaised
    | TrainingStarted
    | TrainingProgress
    | BaselinesMeasured
    | GenerationFinished
    | SeedReevaluated
    | RunFinished
)
Listener: TypeAlias = Callable[[Event], None]

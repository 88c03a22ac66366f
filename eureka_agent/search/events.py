"""The events that a run emits, for displays, logs and tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from eureka_agent.config import SynthesisConfig, TrainingBudget
from eureka_agent.jail import Layers
from eureka_agent.proposers.description import ProposerDescription
from eureka_agent.proposers.events import RequestRetried as RequestRetried
from eureka_agent.proposers.events import RequestsAdapted as RequestsAdapted
from eureka_agent.records import (
    Baseline,
    Candidate,
    Completion,
    Generation,
    Outcome,
    ReevaluationSeed,
    SettingChange,
)
from eureka_agent.search.estimates import Estimate
from eureka_agent.tasks.task import Task
from eureka_agent.training import Progress
from eureka_agent.training.checkpoint import IgnoredCheckpoint


@dataclass(frozen=True)
class RunStarted:
    """Emitted once, first: the run's folder exists and the sandbox is open."""

    path: Path
    task: Task
    config: SynthesisConfig
    budget: TrainingBudget
    proposer: ProposerDescription
    """What proposes the rewards."""
    sandbox: Layers
    """Which layers of the sandbox hold."""
    resumed: bool
    changes: tuple[SettingChange, ...] = ()
    """The settings that resumes changed, oldest first."""
    needs_terminal: bool = False
    """Whether a judge reads from this terminal between the trainings."""
    page: str | None = None
    """Address of the page on which a person judges, with its secret; None without such a judge."""


@dataclass(frozen=True)
class InitialRewardEvaluated:
    """Emitted when the initial reward was evaluated; it is the best so far."""

    outcome: Outcome


@dataclass(frozen=True)
class GenerationStarted:
    """Emitted when the prompts of an attempt at a generation are written."""

    generation: int
    attempt: int = 0
    """Above 0 if every candidate of the earlier attempts failed."""


@dataclass(frozen=True)
class CompletionReceived:
    """Emitted when a completion arrives or is found in the store."""

    generation: int
    completion: Completion


@dataclass(frozen=True)
class RepairRequested:
    """Emitted before a completion that failed the checks is sent back with the reason."""

    outcome: Outcome


@dataclass(frozen=True)
class CandidateSkipped:
    """Emitted for a candidate that does not train: it failed, was rejected, or is a duplicate."""

    outcome: Outcome


@dataclass(frozen=True)
class InternalErrorRaised:
    """Emitted when a candidate is lost by an error of eureka_agent itself; the run goes on."""

    name: str
    """The candidate's."""
    trace: str
    """The traceback."""


@dataclass(frozen=True)
class RewardPlaces:
    """Where the rewards of a training are computed, by the members' names.

    The sparse reward is in neither list: the simulation computes it.
    """

    device: str = "cpu"
    """Where the environments are simulated."""
    as_operations: tuple[str, ...] = ()
    """Rewards that run as tensor operations on that device."""
    in_sandbox: tuple[str, ...] = ()
    """Rewards that run in sandboxed processes on the CPU."""


@dataclass(frozen=True)
class TrainingStarted:
    """Emitted when a population starts to train: candidates, or baselines if there are none."""

    candidates: tuple[Candidate, ...]
    names: tuple[str, ...]
    """One short name per member: `g0c3`, or `human reward`."""
    rewards: RewardPlaces = RewardPlaces()
    """Where the members' rewards are computed."""
    ignored_checkpoint: IgnoredCheckpoint | None = None
    """The checkpoint of another version; None if it was used or there was none."""


@dataclass(frozen=True)
class TrainingProgress:
    """Emitted after each training iteration; `progress` has one entry per member of `names`."""

    names: tuple[str, ...]
    progress: Progress


@dataclass(frozen=True)
class BaselinesMeasured:
    """Emitted when the baselines were measured or found in the store."""

    baselines: tuple[Baseline, ...]


@dataclass(frozen=True)
class SeedTrained:
    """Emitted when candidates and references of a generation were trained with a further seed."""

    generation: int
    number: int
    """Of the seed, from 2 (each candidate was trained with the first)."""
    of: int
    fitness: Mapping[str, float]
    """Fitness of this training by the reward's name."""


@dataclass(frozen=True)
class FeedbackRequested:
    """Emitted when the judge is asked about a generation."""

    generation: int


@dataclass(frozen=True)
class GenerationFinished:
    """Emitted when all outcomes of a generation and the feedback on it are stored."""

    generation: Generation


@dataclass(frozen=True)
class SeedReevaluated:
    """Emitted when the best reward and the references were trained with a final seed."""

    final: ReevaluationSeed
    number: int
    """From 1."""
    of: int


@dataclass(frozen=True)
class TrackingFailed:
    """Emitted once for a tracker (`--log`) that failed; the run goes on without it."""

    tracker: str
    """What `--log` calls it."""
    reason: str
    """In a few words, without secrets."""


@dataclass(frozen=True)
class RunFinished:
    """Emitted once, last: the search is over and everything is written."""

    path: Path
    best: Outcome | None
    baselines: tuple[Baseline, ...]
    outcomes: tuple[Outcome, ...]
    expected: Estimate | None
    """The fitness that the best reward is expected to reach with a new training seed; None if it
    was trained once."""
    human_normalised: float | None
    """`(best - sparse) / |human - sparse|` (Eureka, section 4); None without both baselines, or if
    they are alike."""
    environment_steps: int
    """Over all trainings of the run."""
    seconds: float
    """Spent on training and evaluation, including before a resume."""
    finals: tuple[ReevaluationSeed, ...] = ()
    """Trainings of the best reward with the final seeds, if any."""
    replaced: tuple[Completion, ...] = ()
    """Completions that were paid for and gave no candidate: replaced ones, and a judge's."""
    stopped: str | None = None
    """Which limit ended the search early, in one sentence; None if none did."""


Event: TypeAlias = (
    RunStarted
    | InitialRewardEvaluated
    | GenerationStarted
    | RequestRetried
    | RequestsAdapted
    | CompletionReceived
    | RepairRequested
    | CandidateSkipped
    | InternalErrorRaised
    | TrainingStarted
    | TrainingProgress
    | BaselinesMeasured
    | FeedbackRequested
    | GenerationFinished
    | SeedTrained
    | SeedReevaluated
    | TrackingFailed
    | RunFinished
)
Listener: TypeAlias = Callable[[Event], None]

"""Runs as hand-written events, for the tests of reports."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from eureka_agent.config import SynthesisConfig
from eureka_agent.jail import Layers
from eureka_agent.proposers.description import AskedModel, ProposerDescription
from eureka_agent.records import (
    Baseline,
    Candidate,
    Completion,
    Curve,
    Evaluation,
    Failure,
    Generation,
    Outcome,
    RewardSource,
    TrainingRecord,
)
from eureka_agent.search.events import (
    BaselinesMeasured,
    CandidateSkipped,
    CompletionReceived,
    Event,
    GenerationFinished,
    GenerationStarted,
    RunFinished,
    RunStarted,
    TrainingProgress,
    TrainingStarted,
)
from eureka_agent.training import Progress
from eureka_agent.training.budgets import training_budget
from tests.support.toy_task import ToyTask

NAN = math.nan
TASK = ToyTask()
STEPS = 1_500_000
LAYERS = Layers("full", ("seccomp", "landlock"), {}, ())
"""The layers of a sandbox that seals."""
BASELINES = ("human reward", "sparse reward")
REFUSED = Failure(
    "check", "compute_reward asks for 'mass_velocity', which this task does not have."
)


def config(**changes: object) -> SynthesisConfig:
    """Return a config of two generations of four rewards, with `changes`."""
    settings: dict[str, object] = {
        "task": "toy",
        "generations": 2,
        "samples": 4,
        "seeds": 1,
        "environment_steps": STEPS,
    }
    return SynthesisConfig.of(**(settings | changes))  # type: ignore[arg-type]


def run_started(
    settings: SynthesisConfig, path: Path = Path("runs/demo"), *, resumed: bool = False
) -> RunStarted:
    """Return the run's first event."""
    proposer = ProposerDescription("grammar", "grammar")
    if settings.models.model:
        (name,) = settings.models.model
        proposer = ProposerDescription("models", name, (AskedModel(name, 1.0, "api.openai.com"),))
    return RunStarted(
        path,
        TASK,
        settings,
        training_budget(settings, TASK),
        proposer,
        LAYERS,
        resumed,
        needs_terminal=settings.search.feedback == "cli",
    )


def completion(index: int, cost_usd: float | None = 0.0, proposer: str = "grammar") -> Completion:
    """Return a completion."""
    return Completion(index, "...", proposer, cost_usd=cost_usd)


def evaluation(fitness: float, half: float = 0.5, **measures: float) -> Evaluation:
    """Return an evaluation with the interval `fitness - half` to `fitness + half`."""
    return Evaluation(fitness, fitness - half, fitness + half, 64, 250.0, measures)


def training() -> TrainingRecord:
    """Return the record of a training of `STEPS` environment steps."""
    curve = Curve("reward", (1.0,), 1.0, 1.0, 1.0)
    return TrainingRecord(STEPS, 60.0, curve, (), curve, curve)


def outcome(generation: int, answer: Completion, result: Evaluation | Failure) -> Outcome:
    """Return a candidate that was trained or failed."""
    code = RewardSource("def compute_reward(mass_speed): ...", ("mass_speed",))
    if isinstance(result, Failure):
        return Outcome(Candidate(generation, answer, None), failure=result)
    return Outcome(Candidate(generation, answer, code), training=training(), evaluation=result)


def progress(
    members: int,
    share: float = 0.5,
    *,
    fitness: float | Sequence[float] = 12.3,
    alive: Sequence[bool] = (),
) -> Progress:
    """Return a training of `members` at `share` of its steps, at 50,000 steps/s in total."""
    each = [fitness] * members if isinstance(fitness, float) else list(fitness)
    return Progress(
        environment_steps=round(STEPS * share),
        total_steps=STEPS,
        steps_per_second=50_000.0,
        seconds=members * STEPS * share / 50_000.0,
        reward=(1.0,) * members,
        components=({"upright": 0.75, "effort": -0.25},) * members,
        fitness=tuple(each),
        episode_length=(NAN if math.isnan(each[0]) else 250.0,) * members,
        kl=(0.01,) * members,
        learning_rate=(1e-3,) * members,
        alive=tuple(alive) or (True,) * members,
    )


def baselines() -> tuple[Baseline, ...]:
    """Return the baselines human 14, sparse 4 and random 1."""
    return (
        Baseline("human", training=training(), evaluation=evaluation(14.0, rotations=1.1)),
        Baseline("sparse", training=training(), evaluation=evaluation(4.0, rotations=0.4)),
        Baseline("random", evaluation=evaluation(1.0, rotations=0.0)),
    )


def generation(
    index: int, outcomes: Sequence[Outcome], best: Outcome | None, attempt: int = 0
) -> Iterator[Event]:
    """Yield a generation's events: completions, rejections, a training of the rest, the end."""
    yield GenerationStarted(index, attempt)
    for one in outcomes:
        yield CompletionReceived(index, one.candidate.completion)
    trained = []
    for one in outcomes:
        if one.failure is not None and one.failure.stage != "training":
            yield CandidateSkipped(one)
        else:
            trained.append(one.candidate)
    if trained:
        names = tuple(candidate.name for candidate in trained)
        yield TrainingStarted(tuple(trained), names)
        for share in (0.1, 0.5, 1.0):
            yield TrainingProgress(
                names, progress(len(names), share, fitness=NAN if share < 0.5 else 12.3)
            )
    yield GenerationFinished(Generation(index, tuple(outcomes), best))


def baseline_training() -> Iterator[Event]:
    """Yield the baselines' events."""
    yield TrainingStarted((), BASELINES)
    for share in (0.1, 0.5, 1.0):
        yield TrainingProgress(BASELINES, progress(2, share))
    yield BaselinesMeasured(baselines())


def run_finished(
    outcomes: Sequence[Outcome], best: Outcome | None, path: Path = Path("runs/demo")
) -> RunFinished:
    """Return the run's last event; with a best candidate the human-normalised score is 0.93."""
    score = 0.93 if best else None
    return RunFinished(path, best, baselines(), tuple(outcomes), None, score, 12_000_000, 754.0)

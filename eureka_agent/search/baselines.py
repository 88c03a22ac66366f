"""What rewards are compared with: the human and the sparse reward, and random actions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eureka_agent.errors import EurekaError
from eureka_agent.records import Baseline
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import BaselinesMeasured, Listener
from eureka_agent.training.job import JobReward, TrainedReward


@dataclass(frozen=True)
class MeasuredBaselines:
    """The references, with what their policies did."""

    baselines: tuple[Baseline, ...]
    """The human reward (unless the task has none), the sparse reward, random actions."""
    replays: Mapping[str, bytes | None]
    """The replays of the trained ones by the name of the reward."""


def measure_baselines(store: Store, evaluator: Evaluator, emit: Listener) -> None:
    """Train and store the references, unless the store has them.

    Args:
        store: The run's database.
        evaluator: Trains and evaluates.
        emit: Called when they are known.

    Raises:
        EurekaError: The training of a reference failed.
    """
    if stored := store.baselines():
        emit(BaselinesMeasured(tuple(stored)))
        return
    started = time.monotonic()
    _, measured = train_with_baselines(evaluator, (), emit)
    seconds = time.monotonic() - started
    store.save_baselines(measured.baselines, replays=measured.replays, seconds=seconds)


def train_with_baselines(
    evaluator: Evaluator, rewards: Sequence[JobReward], emit: Listener
) -> tuple[list[TrainedReward], MeasuredBaselines]:
    """Train rewards in one population with the human and the sparse reward.

    Args:
        evaluator: Trains and evaluates.
        rewards: The rewards, which passed `Evaluator.open`.
        emit: Called when the references are known.

    Returns:
        One result per reward, and the references.

    Raises:
        EurekaError: The training of a reference failed.
    """
    trained, human, sparse, random = evaluator.references(rewards)
    references = [_baseline("human", human)] if human else []
    references.append(_baseline("sparse", sparse))
    baselines = (*references, Baseline("random", evaluation=random))
    emit(BaselinesMeasured(baselines))
    replays = {each.name: each.replay for each in (human, sparse) if each is not None}
    return trained, MeasuredBaselines(baselines, replays)


def _baseline(name: Literal["human", "sparse"], trained: TrainedReward) -> Baseline:
    """Return a reference's result. Raises EurekaError if it has none: the comparison is void."""
    if trained.evaluation is None:
        reason = trained.failure.message if trained.failure else "it has no evaluation"
        raise EurekaError(f"The training of the {name} reward failed: {reason}")
    return Baseline.of(trained, name=name)

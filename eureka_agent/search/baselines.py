"""What rewards are compared with: the human and the sparse reward, and random actions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from eureka_agent.errors import EurekaError
from eureka_agent.records import Baseline, Evaluation
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import BaselinesMeasured, Listener
from eureka_agent.training.job import JobReward, TrainedReward

_TOGETHER = 1024
"""Environments of one population up to which its trainings take hardly longer than each alone."""


@dataclass(frozen=True)
class MeasuredBaselines:
    """The references, with what their policies did."""

    baselines: tuple[Baseline, ...]
    """The human reward (unless the task has none), the sparse reward, random actions."""
    replays: Mapping[str, bytes | None]
    """The replays of the trained ones by the name of the reward."""


@dataclass(frozen=True)
class WithReferences:
    """Trainings of rewards and of the references with the same luck."""

    rewards: tuple[TrainedReward, ...]
    human: TrainedReward | None
    """None if the task has no human reward."""
    sparse: TrainedReward
    random: Evaluation
    """Of random actions."""


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
) -> tuple[tuple[TrainedReward, ...], MeasuredBaselines]:
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
    (trained,) = train_with_references(evaluator, rewards)
    references = [_baseline("human", trained.human)] if trained.human else []
    references.append(_baseline("sparse", trained.sparse))
    baselines = (*references, Baseline("random", evaluation=trained.random))
    emit(BaselinesMeasured(baselines))
    known = (trained.human, trained.sparse)
    replays = {each.name: each.replay for each in known if each is not None}
    return trained.rewards, MeasuredBaselines(baselines, replays)


def train_with_references(
    evaluator: Evaluator, rewards: Sequence[JobReward], draws: int = 1
) -> list[WithReferences]:
    """Train rewards and the references in one population, each of them several times.

    Args:
        evaluator: Trains and evaluates.
        rewards: The rewards, which passed `Evaluator.open`.
        draws: Number of trainings of each, with different weights, initial states and noise.

    Returns:
        The results of each draw.

    Raises:
        TaskError: The human reward fails the checks.
    """
    task = evaluator.task
    human = (JobReward("human reward", evaluator.human()),) if task.has_human_reward else ()
    whole = (*rewards, *human, JobReward("sparse reward", None))
    trained = evaluator.train(copies(whole, draws), draws=draws)
    random = evaluator.random_actions()
    results: list[WithReferences] = []
    for draw in range(draws):
        own = trained[draw::draws]
        results.append(
            WithReferences(
                rewards=tuple(own[: len(rewards)]),
                human=own[len(rewards)] if human else None,
                sparse=own[-1],
                random=random,
            )
        )
    return results


def copies(rewards: Sequence[JobReward], draws: int) -> list[JobReward]:
    """Return each reward once for every draw, as `Evaluator.train` wants them.

    Args:
        rewards: The rewards.
        draws: Number of draws; above 1 each copy's name tells which it is.
    """
    if draws == 1:
        return list(rewards)
    return [
        replace(reward, name=f"{reward.name} seed {draw + 1}")
        for reward in rewards
        for draw in range(draws)
    ]


def draws_at_once(evaluator: Evaluator, rewards: int, draws: int) -> int:
    """Return how many trainings of each reward to put into one population.

    Few environments cost as much for each step as many, so a few rewards train several times faster
    if all their trainings are together. The population stays so small that memory is no concern.

    Args:
        evaluator: Trains.
        rewards: Number of rewards.
        draws: The trainings that each of them needs.
    """
    if not evaluator.supports_draws:
        return 1
    return max(1, min(draws, _TOGETHER // (rewards * evaluator.budget.num_envs)))


def _baseline(name: Literal["human", "sparse"], trained: TrainedReward) -> Baseline:
    """Return a reference's result. Raises EurekaError if it has none: the comparison is void."""
    if trained.evaluation is None:
        reason = trained.failure.message if trained.failure else "it has no evaluation"
        raise EurekaError(f"The training of the {name} reward failed: {reason}")
    return Baseline.of(trained, name=name)

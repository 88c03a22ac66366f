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
"""Environments of one population up to which trainings are put together."""


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
    evaluator: Evaluator, rewards: Sequence[JobReward], endings: Sequence[str] = ("",)
) -> list[WithReferences]:
    """Train rewards and the references in one population, each of them several times.

    Args:
        evaluator: Trains and evaluates.
        rewards: The rewards, which passed `Evaluator.open`.
        endings: One for each draw, which has its own weights, initial states and noise. It ends the
            names of the draw's trainings, so that their curves do not replace others of the run.

    Returns:
        The results of each draw.

    Raises:
        TaskError: The human reward fails the checks.
    """
    task = evaluator.task
    human = (evaluator.human("human reward"),) if task.has_human_reward else ()
    whole = (*rewards, *human, JobReward("sparse reward", None))
    draws = len(endings)
    trained = evaluator.train(copies(whole, endings), draws=draws)
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


def copies(rewards: Sequence[JobReward], endings: Sequence[str]) -> list[JobReward]:
    """Return each reward once for every draw, as `Evaluator.train` wants them.

    Args:
        rewards: The rewards.
        endings: The end of the names in each draw.
    """
    return [
        replace(reward, name=f"{reward.name}{ending}") for reward in rewards for ending in endings
    ]


def draws_at_once(evaluator: Evaluator, rewards: int, draws: int) -> int:
    """Return how many trainings of each reward to put into one population.

    Few environments cost as much for each step as many, so a few rewards train about twice as fast
    if all their trainings are together. The population stays small, so its memory is not a concern.

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

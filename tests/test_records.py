"""Records of trained rewards: each is made from another by one classmethod."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest

from eureka_agent.records import (
    Baseline,
    Behaviour,
    Candidate,
    Completion,
    Curve,
    Evaluation,
    Failure,
    Outcome,
    ReevaluationResult,
    RewardResult,
    TrainingRecord,
)
from eureka_agent.training import TrainedReward

CURVE = Curve("fitness", (1.0, 3.0, math.inf, 2.0), 3.0, 2.0, 1.0)
TRAINED = TrainedReward(
    "one",
    b"policy",
    failure=Failure("training", "an example"),
    training=TrainingRecord(640, 1.5, CURVE, (), CURVE, CURVE),
    evaluation=Evaluation(2.5, 2.0, 3.0, 4, 100.0),
    behaviour=Behaviour(4, 0.02, (), 2.5, 0.5, 3.0, None, (), (), (), ()),
)
CANDIDATE = Candidate(0, Completion(0, "", "scripted"), None)
MADE: list[RewardResult] = [
    Outcome.of(TRAINED, candidate=CANDIDATE),
    Baseline.of(TRAINED, name="human"),
    ReevaluationResult.of(TRAINED),
]


@pytest.mark.parametrize("made", MADE, ids=lambda made: type(made).__name__)
def test_record_of_a_trained_reward_has_every_shared_field(made: RewardResult) -> None:
    for shared in fields(RewardResult):
        assert getattr(made, shared.name) is getattr(TRAINED, shared.name) is not None
    assert made.environment_steps == 640


def test_own_field_replaces_a_shared_one() -> None:
    random = Evaluation(0.5, 0.0, 1.0, 4, 100.0)
    failed = replace(TRAINED, training=None, evaluation=None)
    result = ReevaluationResult.of(failed, evaluation=random)
    assert result.evaluation is random
    assert result.failure is TRAINED.failure
    assert (result.peak, result.environment_steps) == (0.5, 0)


def test_peak_is_the_highest_finite_fitness_of_the_training() -> None:
    assert ReevaluationResult.of(TRAINED).peak == 3.0
    assert TRAINED.training is not None
    without = replace(TRAINED.training, fitness=replace(CURVE, values=(math.nan,)))
    assert math.isnan(ReevaluationResult.of(TRAINED, training=without).peak)

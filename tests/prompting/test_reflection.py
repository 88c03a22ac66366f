"""The reflection: which findings stand out at which thresholds, and their words."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from eureka_agent.prompting.reflection import CurveFinding, findings, reflect, shares
from eureka_agent.records import (
    Candidate,
    Completion,
    Curve,
    Evaluation,
    Failure,
    Outcome,
    RewardSource,
    Stage,
    TrainingRecord,
)
from tests.support.snapshots import matches_snapshot

CANDIDATE = Candidate(1, Completion(3, "…", "scripted"), RewardSource("…", ("speed",)))


def curve(name: str, *values: float) -> Curve:
    return Curve(name, values, max(values), sum(values) / len(values), min(values))


def training(*components: Curve, **changes: object) -> TrainingRecord:
    record = TrainingRecord(
        environment_steps=1_048_576,
        seconds=60.0,
        reward=curve("reward", 1.0, 1.5, 2.0),
        components=components,
        fitness=curve("fitness", 0.0, 1.0, 2.0),
        episode_length=curve("episode_length", 20.0, 40.0, 60.0),
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def found(
    record: TrainingRecord, *, length: float = 60.0, has_fitness: bool = True
) -> list[tuple[str, str]]:
    outcome = Outcome(CANDIDATE, training=record, evaluation=Evaluation(2.0, 1.0, 3.0, 8, length))
    return [(f.kind, f.name) for f in findings(outcome, 100, has_fitness=has_fitness)]


STEADY = curve("steady", 1.0, 1.2, 1.4)


def test_a_healthy_training_has_no_findings() -> None:
    assert found(training(STEADY, curve("other", 0.5, 0.6, 0.9))) == []


def test_shares_are_fractions_of_the_mean_absolute_sum() -> None:
    # speed: (1 + 3) / 2 = 2; cost: (0.5 + 0.5) / 2 = 0.5; 2 / 2.5 = 0.8 and 0.5 / 2.5 = 0.2
    record = training(curve("speed", -1.0, 3.0), curve("cost", -0.5, -0.5))
    assert shares(record) == pytest.approx({"speed": 0.8, "cost": 0.2})
    assert shares(training(curve("speed", 0.0, 0.0))) == {}


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        (curve("c", 0.0, 0.0, 0.0), [("zero", "c")]),
        (curve("c", 1.0, 1.005, 1.0), [("flat", "c")]),  # range 0.005 of 1.005: under 1 %
        (curve("c", 1.0, 1.02, 1.0), []),  # range 0.02 of 1.02: 2 %
        (curve("c", -1.0, -2.0, -0.5), []),  # costs are meant to be negative
        (curve("c", 1.0, 1.0, 1.0), []),  # a bonus for staying alive works through the length
        (curve("c", 10.0, 20.0, 30.0), [("dominates", "c")]),  # 20 of 20 + 1.2
        (curve("c", 0.001, 0.002, 0.003), [("negligible", "c")]),  # 0.002 of 0.002 + 1.2
    ],
)
def test_findings_about_a_component(component: Curve, expected: list[tuple[str, str]]) -> None:
    assert [
        finding for finding in found(training(STEADY, component)) if finding[1] == "c"
    ] == expected


def test_a_sole_component_cannot_dominate() -> None:
    assert found(training(STEADY)) == []


def test_trends_that_a_component_shares_with_fitness_are_no_finding() -> None:
    record = training(STEADY, correlations={"steady": 0.9})
    assert found(record) == []


def test_a_constant_component_has_no_effect_only_where_episodes_cannot_end_early() -> None:
    bonus = training(STEADY, curve("alive", 1.0, 1.0, 1.0))
    outcome = Outcome(CANDIDATE, training=bonus, evaluation=Evaluation(2.0, 1.0, 3.0, 8, 60.0))
    assert findings(outcome, 100, has_fitness=True) == []
    (finding,) = findings(outcome, 100, has_fitness=True, ends_early=False)
    assert (finding.kind, finding.name, finding.value) == ("constant", "alive", 1.0)


def test_a_reward_that_rises_without_fitness_is_exploited() -> None:
    falling = training(STEADY, fitness=curve("fitness", 2.0, 1.0, 1.5))
    assert found(falling) == [("exploited", "")]
    assert found(falling, has_fitness=False) == []
    flat_reward = training(STEADY, reward=curve("reward", 1.0, 2.0, 1.1), fitness=falling.fitness)
    assert found(flat_reward) == []  # rose by 0.1 of a range of 1.0


def test_a_negative_reward_matters_only_where_episodes_can_end_early() -> None:
    reward = curve("reward", -1.0, -2.0)
    assert found(training(STEADY, reward=reward)) == [("negative_reward", "")]
    assert (
        found(training(STEADY, reward=reward, episode_length=curve("episode_length", 100.0, 100.0)))
        == []
    )


def test_very_short_episodes_are_reported_and_full_ones_are_not() -> None:
    assert found(training(STEADY), length=4.0) == [("short_episodes", "")]
    assert found(training(STEADY), length=100.0) == []


def test_divergence_is_reported() -> None:
    broken = Curve("c", (1.0, math.inf), math.inf, math.inf, 1.0)
    assert ("diverged", "c") in found(training(STEADY, broken))
    assert found(training(STEADY, diverged_envs=3)) == [("diverged_envs", "")]


def test_without_a_training_there_are_no_findings() -> None:
    assert findings(Outcome(CANDIDATE, failure=Failure("check", "no")), 100, has_fitness=True) == []


def test_snapshot_of_the_whole_text() -> None:
    record = training(
        curve("speed", 10.0, 20.0, 30.0),
        curve("cost", -0.001, -0.002, -0.003),
        curve("alive", 1.0, 1.0, 1.0),
        correlations={"speed": 0.98, "cost": -0.6, "alive": math.nan},
        diverged_envs=2,
    )
    evaluation = Evaluation(5.3125, 5.02, 5.6049, 64, 100.0, {"falls": 0.25})
    outcome = Outcome(CANDIDATE, training=record, evaluation=evaluation)
    matches_snapshot("reflection", reflect(outcome, max_episode_steps=100, fitness_unit="m/s"))


def test_without_a_fitness_the_text_mentions_none() -> None:
    record = training(STEADY, correlations={"steady": 0.9})
    outcome = Outcome(
        CANDIDATE, training=record, evaluation=Evaluation(5.0, 4.0, 6.0, 64, 60.0, {"falls": 0.25})
    )
    text = reflect(outcome, max_episode_steps=100, fitness_unit=None)
    assert "fitness" not in text
    assert "falls" not in text
    assert "64 episodes without exploration: episode length 60 of 100 steps." in text


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("extract", "no code was found"),
        ("check", "refused before it ran"),
        ("contract", "broke its contract on sample states"),
        ("training", "failed while a policy was trained"),
    ],
)
def test_a_failure_names_its_stage_and_reason(stage: Stage, words: str) -> None:
    outcome = Outcome(CANDIDATE, failure=Failure(stage, "the shape is (4, 1)."))
    text = reflect(outcome, max_episode_steps=100, fitness_unit="m")
    assert text == f"This reward function failed: {words}: the shape is (4, 1).\n"


def test_every_kind_of_finding_has_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from typing import get_args

    from eureka_agent.prompting import reflection

    kinds = get_args(reflection.FindingKind)
    for kind in kinds:
        monkeypatch.setattr(
            reflection, "findings", lambda *_, kind=kind, **__: [CurveFinding(kind, "part", 2.0)]
        )
        text = reflect(
            Outcome(CANDIDATE, training=training(STEADY)), max_episode_steps=100, fitness_unit="m"
        )
        stands_out = text.split("What stands out:\n\n")[1]
        assert stands_out.startswith("- "), kind
        assert stands_out.count("\n") == 1, kind

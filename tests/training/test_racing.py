"""Racing: which candidates stop, which continue, and that a race changes nothing else."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from eureka_agent.config import Race, SynthesisConfig, TrainingBudget
from eureka_agent.errors import UsageError
from eureka_agent.records import Rung
from eureka_agent.tasks.registry import load_task
from eureka_agent.training import PopulationTrainer, TrainerSettings
from eureka_agent.training.racing import (
    FitnessTracker,
    RungEstimate,
    expected_fitness,
    significantly_worse,
    stopped,
    student,
)
from tests.support.in_process import InProcess, upright

SPREAD = torch.tensor([-0.1, 0.1, -0.05, 0.05] * 4, dtype=torch.float64)
"""Sixteen iterations that differ a little."""


def at(*means: float, of: int = 160) -> list[RungEstimate]:
    """Return candidates with constant fitness over the first tenth of the training."""
    return [RungEstimate(mean + SPREAD.roll(shift), of, mean) for shift, mean in enumerate(means)]


def continuing(reasons: list[str | None]) -> list[int]:
    return [k for k, reason in enumerate(reasons) if reason is None]


def test_better_half_continues() -> None:
    reasons = stopped(at(1, 8, 3, 6, 2, 5, 4, 7), 4)
    assert continuing(reasons) == [1, 3, 5, 7]
    assert reasons[0] == "fitness 1 against 8 while exploring, after 10 % of the training"


def test_candidate_within_the_interval_of_the_leader_is_kept() -> None:
    """Five are within 0.02 of the leader, and iterations differ by 0.1."""
    close = at(5.0, 5.01, 5.02, 1.0, 5.0, 5.01)
    assert continuing(stopped(close, 3, chance=True)) == [0, 1, 2, 4, 5]
    assert continuing(stopped(close, 3)) == [1, 2, 5]
    # Without any spread the same difference is significant.
    exact = [
        RungEstimate(torch.full((16,), value), 160, value)
        for value in (5.0, 5.01, 5.02, 1.0, 5.0, 5.02)
    ]
    assert continuing(stopped(exact, 3, chance=True)) == [1, 2, 5]


def curve(level: float, slope: float, noise: float = 0.0) -> RungEstimate:
    """Return sixteen iterations, a tenth of a training: they end at `level` with `slope`."""
    past = level + slope * torch.arange(-15, 1, dtype=torch.float64) / 160 + noise * SPREAD
    return RungEstimate(past, 160, level)


def test_late_bloomer_continues() -> None:
    """A candidate behind three others accelerates and will overtake the leader.

    Its curve is a square: 2 after a tenth of the training, 200 at its end. The others are constant.
    """
    square = 200.0 * (torch.arange(1, 17, dtype=torch.float64) / 160) ** 2
    others = [curve(float(level), 0.0) for level in (8, 3, 6, 5)]
    assert continuing(stopped([*others, RungEstimate(square, 160, 2.0)], 2)) == [0, 2, 4]
    # A curve that only fluctuates is not catching up significantly.
    noisy = RungEstimate(2.0 + 20.0 * SPREAD, 160, 2.0)
    assert continuing(stopped([*others, noisy], 2)) == [0, 2]


def test_projection_is_the_highest_point_of_the_parabola() -> None:
    """A line from 0 with slope 16 ends at 16; with slope -16 the highest value is the current one.

    1 - (s - 0.15)^2 * 100 is 0.75 after a tenth of the training and highest, 1, at s = 0.15; at the
    end it would be -71.25.
    """
    shares = torch.arange(1, 17, dtype=torch.float64) / 160
    assert curve(1.6, 16.0).projected == pytest.approx(16.0)
    assert curve(1.6, -16.0).projected == pytest.approx(1.6)
    assert RungEstimate(1.0 - 100.0 * (shares - 0.15) ** 2, 160, 0.75).projected == pytest.approx(
        1.0
    )
    # Too few iterations for a parabola.
    assert RungEstimate(torch.tensor([1.0, 2.0]), 160, 1.5).projected == 1.5


def test_late_bloomer_survives_a_whole_race() -> None:
    """Seven rise at once and level off; one is last at the first rung and has the best end."""

    def fitness(k: int, s: float) -> float:
        return 10.0 * s**1.5 if k == 0 else (3.0 + 0.4 * k) * (1.0 - math.exp(-6.0 * s))

    alive, race, iterations = list(range(8)), Race(), 200
    trackers = [FitnessTracker() for _ in alive]
    for i in range(1, iterations + 1):
        done = i / iterations
        for k in alive:
            trackers[k].add(fitness(k, done), 0, 1)
        if done in race.rungs:
            estimates = [trackers[k].estimate(1, iterations) for k in alive]
            levels = [estimate.level for estimate in estimates]
            assert done > race.rungs[0] or min(levels) == levels[0]
            reasons = stopped(
                estimates, race.survivors(8, race.rungs.index(done)), chance=race.keep_ties
            )
            alive = [alive[j] for j in continuing(reasons)]
    assert max(range(8), key=lambda k: fitness(k, 1.0)) == 0  # 10 against at most 5.8
    assert 0 in alive
    assert len(alive) <= 3


def test_candidate_significantly_worse_than_the_champion_stops() -> None:
    champion = Rung(1000, 6.5, 6.3, 6.7)
    assert continuing(stopped(at(1, 8, 3, 6, 2, 5, 4, 7), 3, champion=champion)) == [1, 7]
    # All are worse than the champion: only the leader continues.
    assert continuing(stopped(at(1, 2, 3), 2, champion=champion)) == [2]
    # Two are within the interval.
    assert continuing(stopped(at(6.4, 6.45, 1.0), 2, champion=champion)) == [0, 1]


def test_candidate_with_nan_never_leads_and_stops() -> None:
    broken = FitnessTracker([(math.nan, 0, 1)] * 16).estimate(1, 160)
    assert broken.level == -math.inf
    for chance in (False, True):
        assert continuing(stopped([broken, *at(1.0, 0.2)], 1, chance=chance)) == [1]


def test_significantly_worse_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, standard error 1 / sqrt(3) = 0.577, t(2) = 4.30.

    2 < 4.30 * 0.577 = 2.48, so the difference is not significant.
    """
    zero = torch.zeros(3)
    assert not significantly_worse(zero, torch.tensor([1.0, 2.0, 3.0]))
    # Mean 2.5, standard error 0.289: 4.30 * 0.289 = 1.24 < 2.5.
    assert significantly_worse(zero, torch.tensor([2.0, 2.5, 3.0]))
    assert not significantly_worse(zero, zero)
    assert not significantly_worse(torch.zeros(1), torch.ones(1))  # one iteration has no interval


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.706), (3, 3.182), (7, 2.365), (15, 2.131), (31, 2.040), (1000, 1.962)],
)
def test_the_quantile_of_student(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, abs=5e-4)
    assert student(0) == math.inf


def test_expected_fitness_by_hand() -> None:
    """2 per step; 1 of 100 steps ends its episode: (1 - 0.99^100) / 0.01 = 63.4 steps, so 126.8."""
    assert expected_fitness(200.0, 1, 100, 100) == pytest.approx(126.8, abs=0.1)
    assert expected_fitness(100.0, 0, 50, 100) == 200.0
    tracker = FitnessTracker()
    for gained in (*[0.0] * 4, *[10.0] * 3, *[30.0] * 3):  # 10 steps each
        tracker.add(gained, 0, 10)
    estimate = tracker.estimate(max_episode_steps=5, of=40)
    # 5 steps per episode: 0, 5 and 15. The last six iterations, the shortest stretch, have the mean
    # (3 * 5 + 3 * 15) / 6.
    assert estimate.past.tolist() == [0.0] * 4 + [5.0] * 3 + [15.0] * 3
    assert estimate.level == pytest.approx(10.0)
    # The level is that of the stretch as a whole: 8 of 80 steps end an episode, so an episode has
    # (1 - 0.9^5) / 0.1 = 4.0951 steps of 1 each.
    assert FitnessTracker([(40.0, 8, 40), (40.0, 0, 40)]).estimate(5, 40).level == pytest.approx(
        4.0951
    )


def test_share_and_survivors_of_a_race_by_hand() -> None:
    """Eight train to 4 %, four to 20 %, three to 30 %, two to the end.

    0.32 + 0.64 + 0.3 + 1.4 = 2.66 of 8 trainings.
    """
    assert Race().share(8) == pytest.approx(2.66 / 8)
    assert [Race().survivors(8, rung) for rung in range(3)] == [4, 3, 2]
    assert [Race().survivors(n, 2) for n in (16, 5, 1)] == [4, 2, 1]
    assert [Race(minimum=3).survivors(n, 2) for n in (16, 8, 2)] == [4, 3, 2]
    # Eight train to 4 %, four to 20 %, three to the end: 0.32 + 0.64 + 2.4.
    assert Race(minimum=3).share(8) == pytest.approx(3.36 / 8)


def test_race_on_real_physics() -> None:
    """A reward for an upright pole wins against three rewards for a fallen pole."""
    task = load_task("cartpole")
    budget = TrainingBudget(num_envs=16, environment_steps=16 * 16 * 40, horizon=16, hidden=(16,))

    def fall(weight: float) -> InProcess:
        return InProcess(lambda dof_pos: weight * dof_pos[:, 1].abs() ** 2 * 10, "dof_pos")

    def rewards() -> list[InProcess]:
        return [fall(1.0), InProcess(upright, "dof_pos"), fall(2.0), fall(3.0)]

    race = Race(rungs=(0.25, 0.5), keep=(0.5, 0.25), keep_ties=False)
    results = PopulationTrainer().train(task, rewards(), TrainerSettings(budget, seed=0, race=race))
    records = [result.record for result in results if result.record is not None]
    assert len(records) == 4
    assert [bool(record.stopped) for record in records] == [True, False, True, True]
    assert records[1].environment_steps == 16 * 16 * 40
    for record in (records[0], records[2], records[3]):
        assert record.environment_steps == record.rungs[-1].environment_steps <= 16 * 16 * 20
        assert "against" in (record.stopped or "")
    assert [rung.environment_steps for rung in records[1].rungs] == [16 * 16 * 10, 16 * 16 * 20]

    settings = TrainerSettings(budget, seed=0, race=race, races=(False, True, True, True))
    results = PopulationTrainer().train(task, rewards(), settings)
    stopped = [bool(result.record and result.record.stopped) for result in results]
    assert stopped == [False, False, True, True]  # the first does not race


def test_candidate_that_continues_learns_as_if_alone() -> None:
    task = load_task("cartpole")
    budget = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 4, horizon=16, hidden=(16,))
    rewards = [
        InProcess(lambda dof_pos: -upright(dof_pos), "dof_pos"),
        InProcess(upright, "dof_pos"),
    ]
    unbeatable = (Rung(8 * 16 * 2, 1e9, 1e9, 1e9),)
    results = PopulationTrainer().train(
        task,
        rewards,
        TrainerSettings(budget, seed=0, race=Race((0.5,), (0.5,)), champion=unbeatable),
    )
    (winner,) = [
        k for k, result in enumerate(results) if result.record and not result.record.stopped
    ]
    (alone,) = PopulationTrainer().train(task, [rewards[winner]], TrainerSettings(budget, seed=0))
    won = results[winner].policy
    assert won is not None
    assert alone.policy is not None
    for a, b in zip(won.parameters(), alone.policy.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rungs": (0.5, 0.2)}, "rungs of a race must rise between 0 and 1, got 0.5 0.2"),
        ({"rungs": (0.5, 1.0)}, "must rise"),
        ({"keep": (0.5, 0.6, 0.7)}, "a share to keep for each rung, from 1 downwards"),
        ({"keep": (0.5,)}, "got 0.5 for 3 rungs"),
        ({"minimum": 0}, "minimum must lie in 1 to 10,000, got 0"),
        ({"keep": (0.5, 0.2, 0.0)}, "above 0, got 0.5 0.2 0.0"),
    ],
)
def test_impossible_race_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Race(**change)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"trainer": "sb3"}, "--racing needs --trainer population"),
        ({"task": "wave", "env": "cartpole"}, "--racing needs a fitness"),
    ],
)
def test_racing_without_what_it_needs_is_refused(change: dict[str, Any], says: str) -> None:
    settings: dict[str, Any] = {"task": "cartpole", "racing": True}
    with pytest.raises(UsageError, match=says):
        SynthesisConfig.of(**(settings | change))


def test_race_follows_the_settings() -> None:
    assert SynthesisConfig.of(task="cartpole").race is None
    assert SynthesisConfig.of(task="cartpole", racing=True).race == Race()
    assert SynthesisConfig.of("cartpole", racing=True, race=Race(minimum=2)).race == Race(minimum=2)

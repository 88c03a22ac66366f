"""Racing: who may be stopped, who may not, and that a race changes nothing but who goes on."""

from __future__ import annotations

import math

import pytest
import torch

from eureka_agent.config import Race, SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.records import Evaluation, Rung
from eureka_agent.registry import load_task
from eureka_agent.task import TrainingBudget
from eureka_agent.trainer import train
from eureka_agent.trainer.racing import Pace, Standing, behind, expected_fitness, stopped, student
from tests.support.in_process import InProcess, upright

SPREAD = torch.tensor([-0.1, 0.1, -0.05, 0.05] * 4)  # sixteen episodes that differ a little


def at(*means: float, climbs: dict[int, float] | None = None) -> list[Standing]:
    noise = [SPREAD.roll(shift) for shift in range(len(means))]
    return [Standing(mean + noise[k], mean, (climbs or {}).get(k, 0.0)) for k, mean in enumerate(means)]


def going_on(reasons: list[str | None]) -> list[int]:
    return [k for k, reason in enumerate(reasons) if reason is None]


def test_the_better_half_goes_on() -> None:
    reasons = stopped(at(1, 8, 3, 6, 2, 5, 4, 7), 4, done=0.1)
    assert going_on(reasons) == [1, 3, 5, 7]
    assert reasons[0] == "fitness 1 against 8 after 10 % of the training"


def test_the_order_goes_by_the_stretch_and_not_by_one_moment() -> None:
    """Who led all along and has a bad moment leads; who has a good one goes on, as its episodes are not behind."""
    standings = at(5, 5, 1, 1)
    standings = [Standing(each.fitness, level) for each, level in zip(standings, (1.0, 2.0, 8.0, 3.0), strict=True)]
    assert going_on(stopped(standings, 1, done=0.1)) == [0, 1, 2, 3]  # 2 leads with episodes of 1: nobody is behind it
    standings = [Standing(torch.full((8,), mean), level) for mean, level in ((5.0, 8.0), (4.0, 9.0), (3.0, 7.0))]
    assert going_on(stopped(standings, 1, done=0.1)) == [0, 1]


def test_whom_chance_cannot_tell_from_the_leader_goes_on() -> None:
    """Five are within a hundredth of the leader, where an episode differs by a tenth."""
    assert going_on(stopped(at(5.0, 5.01, 5.02, 1.0, 5.0, 5.01), 3, done=0.4)) == [0, 1, 2, 4, 5]
    # the same gap with no spread at all is no chance: 3 of 6 have a place, and the two equal ones share it
    exact = [Standing(torch.full((16,), value), value) for value in (5.0, 5.01, 5.02, 1.0, 5.0, 5.02)]
    assert going_on(stopped(exact, 3, done=0.4)) == [1, 2, 5]


def test_a_late_bloomer_goes_on() -> None:
    """Slow at first: behind three others at a tenth, but climbing so that it passes the leader before the end.

    The leader stands at 8 and climbs by 1 per training: 8 + 0.9 at the end. The bloomer: 1 + 0.9 * 14 = 13.6.
    """
    climbs = {0: 14.0, 1: 1.0}
    assert going_on(stopped(at(1, 8, 3, 6, 2, 5, 4, 7, climbs=climbs), 4, done=0.1)) == [0, 1, 3, 5, 7]
    assert going_on(stopped(at(1, 8, climbs=climbs), 1, done=0.4)) == [0, 1]
    # 1 + 0.6 * 10 = 7: not enough
    assert going_on(stopped(at(1, 8, climbs={0: 10.0}), 1, done=0.4)) == [1]


def test_a_parabola_projects() -> None:
    """Levelling off, 2 + 4 x - 8/2 x^2 has its top at x = 0.5: 2 + 2 - 1 = 3; 2 + 1 x + 6/2 x^2 is 3.25 at 0.5."""
    two = torch.full((4,), 2.0)
    assert Standing(two, 2.0, 4.0, -8.0).projected(0.9) == pytest.approx(3.0)
    assert Standing(two, 2.0, 4.0, -8.0).projected(0.25) == pytest.approx(2.75)
    assert Standing(two, 2.0, -4.0, -8.0).projected(0.9) == 2.0
    assert Standing(two, 2.0, 1.0, 6.0).projected(0.5) == pytest.approx(3.25)


def test_a_late_bloomer_survives_a_whole_race() -> None:
    """Seven rise at once and level off; one starts slowly, is the last of all at the first rung, and wins."""

    def fitness(k: int, s: float) -> float:
        return 10.0 * s**1.5 if k == 0 else (3.0 + 0.4 * k) * (1.0 - math.exp(-6.0 * s))

    alive, race, iterations = list(range(8)), Race(), 200
    paces = [Pace() for _ in alive]
    for i in range(1, iterations + 1):
        done = i / iterations
        for k in alive:
            paces[k].add(fitness(k, done), 0, 1)
        if done in race.rungs:
            means = [fitness(k, done) for k in alive]
            assert done > race.rungs[0] or min(means) == means[0]
            standings = [
                Standing(one.fitness, *paces[k].now(1, iterations)) for k, one in zip(alive, at(*means), strict=True)
            ]
            places = race.places(8, race.rungs.index(done))
            alive = [alive[j] for j in going_on(stopped(standings, places, done=done))]
    assert max(range(8), key=lambda k: fitness(k, 1.0)) == 0  # 10 against at most 5.8
    assert 0 in alive
    assert len(alive) <= 2


def test_the_best_so_far_stops_whom_it_leaves_behind() -> None:
    champion = Evaluation(6.5, 6.3, 6.7, 16, 100.0)
    assert going_on(stopped(at(1, 8, 3, 6, 2, 5, 4, 7), 3, done=0.1, champion=champion)) == [1, 7]
    # all are behind it: as many as the race has to bring home go on, and a late bloomer
    assert going_on(stopped(at(1, 2, 3), 1, done=0.1, champion=champion)) == [2]
    assert going_on(stopped(at(1, 2, 3), 1, done=0.1, minimum=2, champion=champion)) == [1, 2]
    assert going_on(stopped(at(1, 2, 3, climbs={0: 9.0}), 1, done=0.1, champion=champion)) == [0, 2]


def test_nan_never_leads_and_goes() -> None:
    for broken in (Standing(torch.full((16,), math.nan), 9.9, 9.9), Standing(SPREAD, math.nan, 9.9)):
        assert going_on(stopped([broken, *at(1.0, 0.2)], 1, done=0.2)) == [1]


def test_behind_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, standard error 1 / sqrt(3) = 0.577, t(2) = 4.30: 2 < 2.48, so not behind."""
    zero = torch.zeros(3)
    assert not behind(zero, torch.tensor([1.0, 2.0, 3.0]))
    assert behind(zero, torch.tensor([2.0, 2.5, 3.0]))  # mean 2.5, error 0.289, 1.24 < 2.5
    assert not behind(zero, zero)
    assert not behind(torch.zeros(1), torch.ones(1))  # one episode says nothing


@pytest.mark.parametrize(("freedom", "quantile"), [(3, 3.182), (7, 2.365), (15, 2.131), (31, 2.040), (1000, 1.962)])
def test_the_quantile_of_student(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, rel=0.015)


def test_expected_fitness_by_hand() -> None:
    """2 a step; one of 100 steps ends its episode: (1 - 0.99^100) / 0.01 = 63.4 of at most 100 steps, so 126.8."""
    assert expected_fitness([(100.0, 1, 50), (100.0, 0, 50)], 100) == pytest.approx(126.8, abs=0.1)
    assert expected_fitness([(100.0, 0, 50)], 100) == 200.0
    pace = Pace()
    for gained in (0.0, 0.0, 10.0, 10.0, 30.0, 30.0):  # 10 steps each: 0, 1 and 3 a step in thirds of 2 iterations
        pace.add(gained, 0, 10)
    # 5 steps an episode: 0, 5, 15, and 20 times 2 iterations in 40: a climb of 10 * 20, which grew by 5 * 20 in 1 / 20
    # and 3 a step for 5 steps over the last tenth, which is 4 iterations: 0.5 * (1 + 3) * 5 = 10
    assert pace.now(max_episode_steps=5, of=40) == pytest.approx((10.0, 200.0, 2000.0))
    assert Pace([(10.0, 0, 10)]).now(max_episode_steps=5, of=40) == (5.0, 0.0, 0.0)  # no thirds yet


def test_the_plan_of_a_race() -> None:
    """Eight to 5 %, four to 10 %, two to 25 %, one to the end: 0.4 + 0.2 + 0.3 + 0.75 = 1.65 of 8 trainings."""
    assert Race().share(8) == pytest.approx(1.65 / 8)
    assert [Race().places(8, rung) for rung in range(4)] == [4, 2, 1, 1]
    assert [Race(keep=0.3).places(n, 0) for n in (10, 8, 1)] == [3, 3, 1]
    assert Race(minimum=3).places(4, 1) == 3


def test_a_race_on_real_physics() -> None:
    """Of an honest reward and three that want the pole down, the honest one wins."""
    task = load_task("cartpole")
    budget = TrainingBudget(num_envs=16, environment_steps=16 * 16 * 40, horizon=16, hidden=(16,))

    def fall(weight: float) -> InProcess:
        return InProcess(lambda dof_pos: weight * dof_pos[:, 1].abs() ** 2 * 10, "dof_pos")

    def rewards() -> list[InProcess]:
        return [fall(1.0), InProcess(upright, "dof_pos"), fall(2.0), fall(3.0)]

    race = Race(rungs=(0.25, 0.5), keep=0.25, episodes=16)
    results = train(task, rewards(), budget, seed=0, race=race)
    records = [result.record for result in results if result.record is not None]
    assert len(records) == 4
    assert [bool(record.stopped) for record in records] == [True, False, True, True]
    assert records[1].environment_steps == 16 * 16 * 40
    for record in (records[0], records[2], records[3]):
        assert record.environment_steps == record.rungs[-1].environment_steps <= 16 * 16 * 20
        assert "against" in record.stopped
    assert [rung.environment_steps for rung in records[1].rungs] == [16 * 16 * 10, 16 * 16 * 20]


def test_the_one_that_goes_on_learns_as_if_alone() -> None:
    task = load_task("cartpole")
    budget = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 4, horizon=16, hidden=(16,))
    rewards = [InProcess(lambda dof_pos: -upright(dof_pos), "dof_pos"), InProcess(upright, "dof_pos")]
    unbeatable = (Rung(8 * 16 * 2, Evaluation(1e9, 1e9, 1e9, 16, 500.0)),)
    results = train(task, rewards, budget, seed=0, race=Race(rungs=(0.5,)), champion=unbeatable)
    (winner,) = [k for k, result in enumerate(results) if result.record and not result.record.stopped]
    (alone,) = train(task, [rewards[winner]], budget, seed=0)
    won = results[winner].policy
    assert won is not None
    assert alone.policy is not None
    for a, b in zip(won.parameters(), alone.policy.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"race_rungs": (0.5, 0.2)}, "--race-rungs must rise between 0 and 1, got 0.5 0.2"),
        ({"race_rungs": (0.5, 1.0)}, "--race-rungs must rise"),
        ({"racing": True, "trainer": "sb3"}, "--racing needs --trainer population"),
        ({"race_keep": 1.0}, "--race-keep must lie between 0 and 1"),
        ({"race_minimum": 0}, "--race-minimum must be at least 1"),
    ],
)
def test_a_race_that_cannot_be(change: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        SynthesisConfig(task="cartpole", **change)  # type: ignore[arg-type]


def test_where_nothing_races() -> None:
    assert SynthesisConfig(task="cartpole", racing=True).race == Race()
    assert SynthesisConfig(task="cartpole").race is None
    assert SynthesisConfig(task="wave", env="cartpole", racing=True).race is None  # nothing to compare

"""What is recorded of policies in real simulation and in environments made for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from eureka_agent.records import TIME_LIMIT, Behaviour
from eureka_agent.simulation.behaviour import BehaviourRecorder
from eureka_agent.simulation.rollouts import Act, random_actions, run_episodes
from eureka_agent.tasks.registry import find_task
from eureka_agent.tasks.task import Task
from eureka_agent.utils.serialization import from_json, to_json
from tests.simulation.test_batched_env import LIMIT, PointMass
from tests.support.toy_task import ToyTask


def recorded(task: Task, policies: Sequence[Act], episodes: int) -> list[Behaviour]:
    recorder = BehaviourRecorder(task)
    numbers = run_episodes(
        task, policies, episodes=episodes, seed=0, threads=1, watch=recorder.watch, reads=()
    )
    return recorder.behaviours(numbers)


def constant(*entries: float) -> Callable[[Tensor], Tensor]:
    return lambda seen: torch.tensor(entries).expand(len(seen), -1)


@pytest.fixture(scope="module")
def hopper() -> list[Behaviour]:
    task = find_task("hopper_forward")
    return recorded(task, [constant(0.0, 0.0, 0.0), random_actions(task, seed=0)], 8)


def test_hopper_that_falls_has_causes_that_add_up(hopper: list[Behaviour]) -> None:
    for behaviour in hopper:
        assert behaviour.episodes == 8 == sum(end.episodes for end in behaviour.ends)
        assert all("torso" in end.cause for end in behaviour.ends)
        counts = [end.episodes for end in behaviour.ends]
        assert counts == sorted(counts, reverse=True)
        assert behaviour.halves is None


def test_hopper_that_stands_still_leans_over(hopper: list[Behaviour]) -> None:
    assert [end.cause for end in hopper[0].ends] == ["torso leans 0.2 rad or more"]


def test_sketches_start_at_0_and_end_with_the_episode(hopper: list[Behaviour]) -> None:
    for sketch in (*hopper[1].typical, *hopper[1].worst):
        assert 2 <= len(sketch.moments) <= 6
        assert sketch.moments[0][0] == 0.0
        assert sketch.moments[-1][0] == pytest.approx(sketch.length * 0.008)
        assert all(len(row) == 1 + len(hopper[1].columns) for row in sketch.moments)


def test_policy_alone_is_recorded_as_in_a_population(hopper: list[Behaviour]) -> None:
    alone = recorded(find_task("hopper_forward"), [constant(0.0, 0.0, 0.0)], 8)
    assert repr(alone[0]) == repr(hopper[0])


def test_behaviour_survives_the_database(hopper: list[Behaviour]) -> None:
    assert repr(from_json(Behaviour, to_json(hopper[1]))) == repr(hopper[1])


def test_cartpole_without_control_falls_over_and_counts_steps() -> None:
    (behaviour,) = recorded(find_task("cartpole"), [constant(0.0)], 6)
    assert [end.cause for end in behaviour.ends] == ["pole more than 90° from upright"]
    assert math.isnan(behaviour.fitness_alive)
    pole = next(each for each in behaviour.spreads if each.name == "dof_pos.pole")
    assert all(abs(angle) <= 0.1 for angle in pole.start)
    assert min(abs(pole.end[0]), abs(pole.end[2])) > math.pi / 2


def test_task_without_an_end_only_reaches_the_time_limit() -> None:
    (behaviour,) = recorded(find_task("cartpole").without_end(), [constant(0.0)], 2)
    assert [(end.cause, end.length) for end in behaviour.ends] == [(TIME_LIMIT, 500.0)]
    assert behaviour.halves is not None
    assert (behaviour.halves.first, behaviour.halves.second) == (250.0, 250.0)
    assert behaviour.late_share == 0.5


def test_task_that_names_no_causes_terminates() -> None:
    (behaviour,) = recorded(ToyTask(), [constant(1.0)], 3)
    assert [end.cause for end in behaviour.ends] == ["terminated"]


def test_environment_in_pure_torch_is_recorded() -> None:
    (behaviour,) = recorded(PointMass(), [constant(0.1)], 5)
    assert behaviour.ends[0].length == LIMIT
    assert [each.name for each in behaviour.spreads] == ["position"]
    assert behaviour.columns == ("position m",)


def test_single_episode_is_typical_and_nothing_is_compared() -> None:
    (behaviour,) = recorded(find_task("cartpole"), [constant(0.0)], 1)
    assert (len(behaviour.typical), behaviour.worst) == (1, ())
    assert math.isnan(behaviour.fitness_alive)


class ShortTask(ToyTask):
    """Every episode has one step."""

    max_episode_steps = 1


def test_episode_of_one_step_has_two_moments() -> None:
    (behaviour,) = recorded(ShortTask(), [constant(0.5)], 4)
    assert behaviour.ends[0].length == 1.0
    assert [len(each.moments) for each in behaviour.typical] == [2] * len(behaviour.typical)
    assert behaviour.halves is not None
    assert all(math.isfinite(value) for value in (behaviour.halves.first, behaviour.halves.second))


class BrokenTask(ToyTask):
    """The physics gives NaN in the tenth step of environments on the left."""

    def state(self, physics, episode_state):  # type: ignore[no-untyped-def]
        state = super().state(physics, episode_state)
        bad = (physics.qpos[:, 0] < 0.0) & (state["mass_speed"] > 0.4)
        return state | {"mass_speed": torch.where(bad, math.nan, state["mass_speed"])}


def test_diverged_physics_is_a_cause_and_leaves_finite_numbers() -> None:
    (behaviour,) = recorded(BrokenTask(), [constant(-1.0)], 6)
    assert "the physics diverged" in [end.cause for end in behaviour.ends]
    numbers = [value for each in behaviour.spreads for value in (*each.start, *each.end)]
    assert all(math.isfinite(number) for number in numbers)
    for sketch in (*behaviour.typical, *behaviour.worst):
        assert all(math.isfinite(value) for value in sketch.moments[-1])


def test_worst_episodes_are_clearly_below_the_median() -> None:
    task = find_task("hopper_forward")
    (behaviour,) = recorded(task, [random_actions(task, seed=0)], 16)
    lowest_typical = min(each.fitness for each in behaviour.typical)
    assert behaviour.worst
    assert all(each.fitness < lowest_typical for each in behaviour.worst)


def test_without_fitness_nothing_that_it_selects_is_left(hopper: list[Behaviour]) -> None:
    without = hopper[1].without_fitness()
    assert without.typical == without.worst == ()
    assert without.halves is None
    assert math.isnan(without.fitness_alive)
    assert math.isnan(without.fitness_solved)
    assert math.isnan(without.late_share)
    assert without.spreads == hopper[1].spreads

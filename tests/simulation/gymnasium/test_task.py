"""Environments of Gymnasium as tasks: what is found, what a reward may read, what is refused."""

from __future__ import annotations

import logging
import math
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from eureka_agent.errors import UsageError
from eureka_agent.simulation import check_task
from eureka_agent.simulation.gymnasium import FitnessRule, GymnasiumTask, fitness_rule
from eureka_agent.simulation.gymnasium.task import gymnasium_task
from eureka_agent.tasks.registry import find_task

RETURN = fitness_rule("env_return")


def task(name: str, rule: FitnessRule = RETURN, **kwargs: object) -> GymnasiumTask:
    return GymnasiumTask(name, kwargs, rule)


# ------------------------------------------------------------------ Gymnasium's own environments
def test_cart_pole_has_named_parts_with_units_and_its_own_limits() -> None:
    cart = task("CartPole-v1")
    check_task(cart)
    variables = {each.name: (each.unit, each.kind) for each in cart.state_spec.variables}
    assert variables == {
        "cart_position": ("m", "other"),
        "cart_velocity": ("m/s", "other"),
        "pole_angle": ("rad", "angle"),
        "pole_angular_velocity": ("rad/s", "other"),
    }
    assert (cart.name, cart.id) == ("CartPole-v1", "gym:CartPole-v1")
    assert (cart.max_episode_steps, cart.dt, cart.fitness_solved) == (500, 0.02, 475.0)
    assert (cart.action_choices, cart.action_names) == (
        (2,),
        ("push_cart_to_left", "push_cart_to_right"),
    )


def test_the_table_of_a_docstring_names_the_observation() -> None:
    car = task("MountainCar-v0")
    names = [(each.name, each.unit) for each in car.state_spec.variables]
    assert names == [("position_of_car_along_x_axis", "m"), ("velocity_of_car", "-")]
    assert car.action_names == ("accelerate_to_left", "dont_accelerate", "accelerate_to_right")


def test_continuous_actions_say_what_they_are_scaled_to() -> None:
    pendulum = task("Pendulum-v1")
    assert pendulum.action_names == ("torque",)
    assert "scaled: torque to [-2, 2]" in pendulum.notes
    assert math.isnan(pendulum.fitness_solved)


def test_a_discrete_observation_is_one_hot() -> None:
    lake = task("FrozenLake-v1")
    check_task(lake)
    shapes = {each.name: each.shape for each in lake.state_spec.variables}
    assert shapes == {"observation": (16,), "prob": ()}
    env = lake.make_env(3, seed=0)
    assert env.state["observation"].sum(dim=1).tolist() == [1.0, 1.0, 1.0]
    assert env.critic_observation.equal(env.state["observation"])


@pytest.mark.filterwarnings("ignore:.*out of date")
def test_a_mujoco_model_gives_positions_velocities_joints_and_contacts() -> None:
    ant = task("Ant-v4")
    listed = {each.name: each for each in ant.state_spec.variables}
    assert listed["torso_position"].kind == "position"
    assert listed["torso_velocity"].unit == "m/s"
    assert listed["joint_positions"].elements[:2] == ("hip_1", "ankle_1")
    assert listed["left_ankle_geom_contact"].kind == "flag"
    env = ant.make_env(2, seed=0, reads=["torso_position"])
    inner = gymnasium.make("Ant-v4").unwrapped
    qpos = env.state["joint_positions"].shape[1]
    assert qpos == inner.model.nu  # type: ignore[attr-defined]
    assert env.state["torso_position"][0, 2] == pytest.approx(0.75, abs=0.1)
    assert "aux_1_velocity" not in env.state


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "HalfCheetah-v5", "FrozenLake-v1"])
def test_what_the_environment_pays_reaches_no_model(name: str) -> None:
    known = task(name)
    texts = [known.description, known.notes, known.fitness_meaning]
    texts += [f"{each.name} {each.meaning}" for each in known.reward_inputs.tensors]
    words = " ".join(texts).lower()
    for told in ("reward", "penal", "ctrl_cost", "theta_dt", "+1"):
        assert told not in words
    assert "Starting state" in known.notes


def test_options_become_part_of_the_id_and_of_the_environment() -> None:
    lake = find_task(
        'gym:FrozenLake-v1 {"kwargs": {"map_name": "8x8"}, "fitness": "info:prob:sum"}'
    )
    assert isinstance(lake, GymnasiumTask)
    assert lake.observation_size == 64
    assert lake.fitness_unit == "prob"
    assert lake.id is not None
    assert find_task(lake.id).id == lake.id
    assert math.isnan(lake.fitness_solved)  # the threshold is that of the registered arguments


# ------------------------------------------------------------------ other packages
def test_a_package_is_imported_by_its_name_before_the_id(package: str) -> None:
    point = find_task(f"gym:{package}:someones/Point-v0")
    check_task(point)
    assert (point.name, point.max_episode_steps) == (f"{package}-someones-Point-v0", 40)
    assert point.description == "Bring the point to the goal, which is the task"
    assert "distance" not in point.notes
    shapes = {each.name: each.shape for each in point.state_spec.variables}
    assert shapes == {
        "achieved_goal": (2,),
        "desired_goal": (2,),
        "is_success": (),
        "steps": (),
    }
    assert point.state_spec["desired_goal"].goal_for == "achieved_goal"
    assert point.state_spec["is_success"].kind == "flag"


def test_a_namespace_is_imported_as_a_module(
    tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "someones").mkdir()
    (tmp_path / "someones" / "__init__.py").write_text(f"import {package}", encoding="utf-8")
    monkeypatch.delitem(__import__("sys").modules, "someones", raising=False)
    assert find_task("gym:someones/Point-v0").max_episode_steps == 40


def test_an_environment_without_a_limit_gets_one_with_a_warning(
    package: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert find_task(f"gym:{package}:Endless-v0").max_episode_steps == 1000
    assert "has no time limit" in caplog.text
    limited = gymnasium_task(f"{package}:Endless-v0", {"kwargs": {"max_episode_steps": 7}})
    assert limited.max_episode_steps == 7


def test_an_entry_of_info_can_be_the_fitness_though_no_reward_may_read_it(package: str) -> None:
    name = f"{package}:someones/Point-v0"
    point = gymnasium_task(name, {"fitness": "info:reward_distance:max"})
    assert "reward_distance" not in point.reward_inputs.names
    check_task(point)
    with pytest.raises(UsageError, match=r"no number 'distence'. Did you mean 'distance'"):
        gymnasium_task(name, {"fitness": "info:distence"})


# ------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CartPoles-v1", "Did you mean 'CartPole-v1'"),
        ("no_such_package:Env-v0", "'no_such_package'.*is not installed"),
        ("no_such_package/Env-v0", "gym:module:no_such_package/Env-v0"),
        ("CartPole", "Did you mean 'CartPole-v1'"),
        ("CartPole-v9", "no environment 'CartPole-v9'"),
    ],
)
def test_an_unknown_environment_is_refused_with_advice(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        gymnasium_task(name, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reward": 1}, "unknown option 'reward': the options are kwargs, fitness and python"),
        ({"kwargs": [1]}, "must be a JSON object"),
        ({"fitness": 1}, "must be a text"),
        ({"kwargs": {"no_such": 1}}, "cannot be made with the arguments no_such"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        gymnasium_task("CartPole-v1", options)


class Faulty(gymnasium.Env[object, object]):
    """An environment with spaces of the test's choice."""

    def __init__(self, observation: spaces.Space[object], action: spaces.Space[object]) -> None:
        self.observation_space, self.action_space = observation, action


BOX = spaces.Box(-1.0, 1.0, (2,))


@pytest.mark.parametrize(
    ("observation", "action", "message"),
    [
        (spaces.Box(0, 255, (64, 64, 3), np.uint8), BOX, "observes images"),
        (spaces.Box(-1.0, 1.0, (200, 200)), BOX, "observes 40,000 numbers"),
        (spaces.Text(5), BOX, "observes a Text space"),
        (spaces.Dict({"a": BOX, "b": spaces.Sequence(BOX)}), BOX, "observes a Sequence space"),
        (BOX, spaces.Box(-np.inf, np.inf, (2,)), "actions without bounds"),
        (BOX, spaces.Box(0, 3, (2,), np.int64), "a Box of integers as actions"),
        (BOX, spaces.Dict({"a": BOX}), "the action space Dict"),
    ],
)
def test_other_spaces_are_refused_in_one_sentence(
    observation: spaces.Space[object],
    action: spaces.Space[object],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = EnvSpec("Faulty-v0", entry_point=lambda **_: Faulty(observation, action))
    monkeypatch.setitem(gymnasium.registry, "Faulty-v0", spec)
    with pytest.raises(UsageError, match=message):
        gymnasium_task("Faulty-v0", {})

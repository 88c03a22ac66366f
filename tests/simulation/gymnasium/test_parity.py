"""The environments on the batch engine equal Gymnasium's own, step by step.

Both simulate the same numbers in float64, so states are equal bit by bit. Ours are rounded to
float32 where tasks read them; velocities are differences of such positions divided by dt.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from eureka_agent.simulation import EnvironmentRandom, Step
from eureka_agent.simulation.gymnasium.fitness import fitness_rule
from eureka_agent.simulation.gymnasium.mujoco_v5 import ENVIRONMENTS, batch_task
from tests.support.gymnasium_pair import Pair, Theirs

OBSERVATION = 1e-6
"""Largest relative difference of an observation: float32 has 24 bits."""
REWARD = 1e-4
"""Largest difference of a reward or an entry of `info`, relative to 1 or its size if that is more:
velocities are differences of float32 positions."""

OTHER_ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    (
        "Ant-v5",
        {
            "include_cfrc_ext_in_observation": False,
            "contact_cost_weight": 0.0,
            "main_body": "front_left_leg",
            "healthy_z_range": [0.3, 0.9],
            "exclude_current_positions_from_observation": False,
        },
    ),
    ("Ant-v5", {"contact_cost_weight": 0.01, "contact_force_range": [-3.0, 3.0], "frame_skip": 2}),
    (
        "HalfCheetah-v5",
        {
            "forward_reward_weight": 2,
            "ctrl_cost_weight": 0.3,
            "frame_skip": 2,
            "exclude_current_positions_from_observation": False,
        },
    ),
    ("Hopper-v5", {"terminate_when_unhealthy": False, "healthy_reward": 0.5}),
    ("Hopper-v5", {"healthy_state_range": [-5.0, 5.0], "healthy_z_range": [0.5, 1.3]}),
    (
        "Humanoid-v5",
        {
            "include_cinert_in_observation": False,
            "include_cfrc_ext_in_observation": False,
            "contact_cost_range": [0.001, 0.01],
            "healthy_z_range": [0.5, 2.0],
        },
    ),
    ("HumanoidStandup-v5", {"include_cvel_in_observation": False, "impact_cost_weight": 1e-4}),
    ("InvertedDoublePendulum-v5", {"healthy_reward": 3, "reset_noise_scale": 0.7}),
    ("InvertedPendulum-v5", {"frame_skip": 1, "reset_noise_scale": 0.1}),
    ("Pusher-v5", {"reward_near_weight": 2.0, "reward_dist_weight": 0.1}),
    ("Reacher-v5", {"reward_dist_weight": 3.0, "reward_control_weight": 0.01}),
    ("Swimmer-v5", {"exclude_current_positions_from_observation": False, "frame_skip": 1}),
    ("Walker2d-v5", {"xml_file": "walker2d.xml", "healthy_angle_range": [-0.3, 0.2]}),
]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_default_environment_equals_gymnasium_for_50_steps(name: str) -> None:
    run(Pair(name, {}), 50)


@pytest.mark.parametrize(("name", "kwargs"), OTHER_ARGUMENTS)
def test_environment_with_other_arguments_equals_gymnasium_for_40_steps(
    name: str, kwargs: dict[str, Any]
) -> None:
    run(Pair(name, kwargs), 40)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_default_environment_equals_gymnasium_for_1000_steps(name: str) -> None:
    ended = run(Pair(name, {}, num_envs=1), 1000)
    assert ended > 0  # by the time limit, at the latest


def run(pair: Pair, steps: int) -> int:
    """Step both sides and compare them; return how many episodes ended."""
    ended = 0
    for _ in range(steps):
        ours, theirs = pair.step()
        done = ours.terminated | ours.truncated
        for index, their in enumerate(theirs):
            compare(pair, ours, their, index)
            if not done[index]:
                assert np.array_equal(pair.batch.qpos[index], their.qpos)
        ended += pair.restart(ours)
    for difference in pair.restarted:
        assert np.abs(difference).max() <= OBSERVATION
    return ended


def compare(pair: Pair, ours: Step, theirs: Theirs, index: int) -> None:
    assert bool(ours.terminated[index]) == theirs.terminated
    seen = ours.final_observation[index].numpy()
    assert seen == pytest.approx(theirs.observation, rel=OBSERVATION, abs=OBSERVATION)
    assert ours.own_reward is not None
    assert_near(float(ours.own_reward[index]), theirs.reward)
    numbers = {
        key: value for key, value in theirs.info.items() if np.ndim(value) == 0
    }  # tendon lengths are arrays
    known = {**ours.state, **pair.terms}
    if pair.task.environment == "Ant-v5" and "reward_contact" not in known:
        assert numbers.pop("reward_contact") == 0.0  # not computed where it costs nothing
    for key, value in numbers.items():
        assert_near(float(known[key][index]), float(value))


def assert_near(ours: float, theirs: float) -> None:
    assert ours == pytest.approx(theirs, rel=REWARD, abs=REWARD)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_initial_states_have_gymnasium_s_distribution(name: str) -> None:
    count = 300
    task = batch_task(name, {}, fitness_rule("env_return"))
    assert task is not None
    random = EnvironmentRandom(1, np.arange(count), np.zeros(count, dtype=np.int64))
    initial = task.initial_state(random)
    ours = torch.cat((initial.qpos, initial.qvel), dim=1).double().numpy()
    env: Any = gymnasium.make(name).unwrapped
    env.reset(seed=1)
    theirs = np.array([state_after_reset(env) for _ in range(count)])
    spread = theirs.std(axis=0)
    error = spread * np.sqrt(2.0 / count)
    assert np.all(np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) <= 5.0 * error + 1e-6)
    assert ours.std(axis=0) == pytest.approx(spread, rel=0.25, abs=1e-6)
    reach = np.abs(theirs - theirs.mean(axis=0)).max(axis=0)
    assert np.all(np.abs(ours - theirs.mean(axis=0)).max(axis=0) <= 1.5 * reach + 1e-6)


def state_after_reset(env: Any) -> NDArray[np.float64]:
    env.reset()
    return np.concatenate((env.data.qpos, env.data.qvel))

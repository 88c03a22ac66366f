"""The tasks on Gymnasium's models against Gymnasium's own environments."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from eureka_agent.simulation import CpuEngine, MujocoEnvironment
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.tasks.registry import find_task
from tests.support.mujoco_tasks import mujoco_task
from tests.support.task_contract import check_contract, reward_of

IDS = {
    "half_cheetah_forward": "HalfCheetah-v5",
    "inverted_pendulum_balance": "InvertedPendulum-v5",
    "reacher_reach": "Reacher-v5",
    "swimmer_forward": "Swimmer-v5",
}


@pytest.fixture(params=IDS)
def task(request: pytest.FixtureRequest) -> MujocoTask:
    return mujoco_task(request.param)


def test_contract(task: MujocoTask) -> None:
    check_contract(task)


def test_is_found_by_gymnasiums_id(task: MujocoTask) -> None:
    assert find_task(IDS[task.name]) is task


def test_dt_and_time_limit_are_gymnasiums(task: MujocoTask) -> None:
    env: Any = gymnasium.make(IDS[task.name])
    assert task.dt == pytest.approx(env.unwrapped.dt)
    assert task.state_spec.constants["dt"] == pytest.approx(task.dt)
    assert task.max_episode_steps == env.spec.max_episode_steps


def test_model_is_gymnasiums(task: MujocoTask) -> None:
    env: Any = gymnasium.make(IDS[task.name]).unwrapped
    for name in ("body_mass", "body_inertia", "dof_damping", "actuator_gear", "jnt_range"):
        expected, ours = getattr(env.model, name), getattr(task.model, name)
        np.testing.assert_allclose(ours, expected, rtol=1e-6, err_msg=name)


def test_observations_rewards_and_ends_are_gymnasiums(task: MujocoTask) -> None:
    inner: Any = gymnasium.make(IDS[task.name]).unwrapped
    inner.reset(seed=0)
    inner.model.opt.integrator = task.model.opt.integrator
    env = MujocoEnvironment(task, 1, seed=0)
    assert isinstance(env._engine, CpuEngine)
    inner.set_state(env._engine._batch.qpos[0].copy(), env._engine._batch.qvel[0].copy())
    random = np.random.default_rng(0)
    # Gymnasium reads the fingertip from before the last physics step.
    tolerance = {"reacher_reach": 0.03, "half_cheetah_forward": 0.05}.get(task.name, 1e-3)
    for _ in range(20):  # float32 actions differ in the last bit, and contacts amplify that
        action = random.uniform(-1.0, 1.0, task.action_size).astype(np.float32)
        span = inner.action_space.high.astype(np.float32)
        observation, paid, terminated, _, _ = inner.step(action * span)
        if task.name == "half_cheetah_forward":
            observation[0] += 0.7  # there the height is relative to the start's
        before = env.state
        step = env.step(torch.as_tensor(action)[None])
        assert step.final_observation[0].numpy() == pytest.approx(observation, abs=tolerance)
        previous = {f"prev_{name}": value for name, value in before.items()}
        reward, _ = reward_of(task, {**step.state, **previous})
        assert float(reward[0]) == pytest.approx(float(paid), abs=2e-2)
        assert bool(step.terminated[0]) == terminated
        if terminated:
            break


def test_reachers_fitness_is_minus_the_last_distance() -> None:
    task = mujoco_task("reacher_reach")
    env = task.make_env(8, seed=3)
    for _ in range(task.max_episode_steps):
        step = env.step(torch.full((8, 2), 0.2))
    way = step.state["fingertip_position"] - step.state["target_position"]
    torch.testing.assert_close(step.finished.fitness, -way.norm(dim=1), atol=1e-5, rtol=1e-5)
    start = task.make_env(2000, seed=0).state["target_position"][:, :2]
    distances = start.norm(dim=1)
    assert distances.max() < 0.2
    assert (distances < 0.1).float().mean() == pytest.approx(0.25, abs=0.03)  # even over the disc


@pytest.mark.parametrize("name", ["half_cheetah_forward", "swimmer_forward"])
def test_fitness_is_the_mean_forward_speed(name: str) -> None:
    task = mujoco_task(name)
    env = task.make_env(4, seed=0)
    variable = "torso_position" if name.startswith("half") else "front_position"
    x = env.state[variable][:, 0]
    total = torch.zeros(4)
    for _ in range(30):
        step = env.step(torch.full((4, task.action_size), 0.5))
        total += step.fitness
    moved = step.state[variable][:, 0] - x
    torch.testing.assert_close(total, moved / (task.dt * 1000), atol=1e-5, rtol=1e-3)

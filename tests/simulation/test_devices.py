"""Tasks compute on the device of the physics; tested on torch's `meta` device, without a GPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eureka_agent.simulation import EnvironmentRandom, PhysicsView
from eureka_agent.tasks.registry import task_names
from tests.support.mujoco_tasks import mujoco_task

_META = torch.device("meta")


@pytest.mark.parametrize("name", task_names())
def test_task_computes_on_the_device_of_the_physics(name: str) -> None:
    task = mujoco_task(name)
    num_envs = 3
    initial = task.initial_state(
        EnvironmentRandom(0, np.arange(num_envs), np.zeros(num_envs, dtype=np.int64))
    )
    action = torch.zeros(num_envs, task.action_size, device=_META)
    episode_state = {
        **{key: value.to(_META) for key, value in initial.episode_state.items()},
        "action": action,
    }
    ctrl = task.control(action, episode_state)
    physics = PhysicsView(
        model=task.model,
        qpos=initial.qpos.to(_META),
        qvel=initial.qvel.to(_META),
        ctrl=ctrl,
        sensordata=torch.zeros(num_envs, task.model.nsensordata, device=_META),
    )
    episode_state = {**task.update_episode_state(physics, episode_state), "action": action}
    state = {**task.state(physics, episode_state), "action": action, "episode_time": action[:, 0]}
    results = {
        "ctrl": ctrl,
        **episode_state,
        **state,
        "observation": task.observation(state, episode_state),
        "terminated": task.terminated(state, episode_state),
        "fitness": task.fitness(state, episode_state),
        "sparse reward": task.sparse_reward(state, episode_state),
        **task.measures(state, episode_state),
    }
    assert {key: value.device for key, value in results.items()} == dict.fromkeys(results, _META)


def test_meta_device_refuses_to_mix_devices() -> None:
    with pytest.raises(RuntimeError, match="device"):
        _ = torch.zeros(3, device=_META) + torch.zeros(3)
    with pytest.raises(RuntimeError, match="device"):
        _ = torch.cat((torch.zeros(3, device=_META), torch.zeros(3)))

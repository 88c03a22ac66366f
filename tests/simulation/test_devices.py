"""Tasks compute where the physics is. Tried without a GPU, on torch's `metadata` device: shapes,
and no numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eureka_agent.simulation import EnvironmentRandom, PhysicsView
from eureka_agent.tasks.registry import task_names
from tests.support.mujoco_tasks import mujoco_task

_ELSEWHERE = torch.device("meta")


@pytest.mark.parametrize("name", task_names())
def test_a_task_mixes_no_devices(name: str) -> None:
    task, worlds = mujoco_task(name), 3
    start = task.initial_state(
        EnvironmentRandom(0, np.arange(worlds), np.zeros(worlds, dtype=np.int64))
    )
    action = torch.zeros(worlds, task.action_size, device=_ELSEWHERE)
    memory = {
        **{key: value.to(_ELSEWHERE) for key, value in start.episode_state.items()},
        "action": action,
    }
    ctrl = task.control(action, memory)
    physics = PhysicsView(
        model=task.model,
        qpos=start.qpos.to(_ELSEWHERE),
        qvel=start.qvel.to(_ELSEWHERE),
        ctrl=ctrl,
        sensordata=torch.zeros(worlds, task.model.nsensordata, device=_ELSEWHERE),
    )
    memory = {**task.update_episode_state(physics, memory), "action": action}
    state = {**task.state(physics, memory), "action": action, "episode_time": action[:, 0]}
    results = {
        "ctrl": ctrl,
        **memory,
        **state,
        "observation": task.observation(state, memory),
        "terminated": task.terminated(state, memory),
        "fitness": task.fitness(state, memory),
        "sparse reward": task.sparse_reward(state, memory),
        **task.measures(state, memory),
    }
    assert {key: value.device for key, value in results.items()} == dict.fromkeys(
        results, _ELSEWHERE
    )


def test_the_device_that_finds_mixing() -> None:
    with pytest.raises(RuntimeError, match="device"):
        _ = torch.zeros(3, device=_ELSEWHERE) + torch.zeros(3)
    with pytest.raises(RuntimeError, match="device"):
        _ = torch.cat((torch.zeros(3, device=_ELSEWHERE), torch.zeros(3)))

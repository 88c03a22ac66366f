"""The benchmark's tasks match Gymnasium from the same state with the same actions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.gymnasium_tasks import TASKS, GymnasiumTask
from eureka_agent.simulation import CpuEngine, MujocoEnvironment
from tests.support.in_process import human_reward


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_observations_rewards_and_ends_match_gymnasium(task: GymnasiumTask) -> None:
    theirs = task.maker()()
    inner = theirs.unwrapped
    inner.reset(seed=0)
    assert inner.model.opt.integrator == task.model.opt.integrator  # type: ignore[attr-defined]
    assert inner.dt == pytest.approx(task.dt)  # type: ignore[attr-defined]
    env = MujocoEnvironment(task, 1, seed=0)
    assert isinstance(env._engine, CpuEngine)
    physics = env._engine._batch
    inner.set_state(physics.qpos[0].copy(), physics.qvel[0].copy())  # type: ignore[attr-defined]
    reward, rng = human_reward(task), np.random.default_rng(0)
    for _ in range(40):  # float32 actions differ in the last bit, and contacts amplify that
        action = rng.uniform(-1.0, 1.0, task.action_size).astype(np.float32)
        observation, paid, terminated, _, _ = inner.step(action)
        step = env.step(torch.as_tensor(action)[None])
        reward.submit(step.state)
        assert step.final_observation[0].numpy() == pytest.approx(observation, abs=1e-3)
        # Gymnasium's ant takes its speed from a position that is one physics step old
        assert float(reward.collect().reward[0]) == pytest.approx(
            float(paid), abs=0.5 if "ant" in task.name else 1e-2
        )
        assert bool(step.terminated[0]) == terminated
        if terminated:
            break
    theirs.close()

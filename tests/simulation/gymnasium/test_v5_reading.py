"""What rewards read on the batch engine is read alike in Gymnasium's own MuJoCo environments."""

from __future__ import annotations

from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest

from eureka_agent.simulation.gymnasium.fitness import fitness_rule
from eureka_agent.simulation.gymnasium.mujoco_v5 import ENVIRONMENTS, batch_task
from eureka_agent.simulation.gymnasium.reward_wrapper import StateReader
from tests.support.gymnasium_pair import Pair

_CASES: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in ENVIRONMENTS),
    ("Ant-v5", {"include_cfrc_ext_in_observation": False, "frame_skip": 2}),
    ("Humanoid-v5", {"include_cinert_in_observation": False}),
]


@pytest.mark.parametrize(("name", "kwargs"), _CASES, ids=str)
def test_every_variable_is_read_in_gymnasium_as_on_the_batch_engine(
    name: str, kwargs: dict[str, Any]
) -> None:
    pair = Pair(name, kwargs, num_envs=1)
    task, env = pair.task, pair.theirs[0]
    reading = task.gymnasium_reading
    variables = [each.name for each in task.reward_inputs.tensors]
    spaces = (env.observation_space, env.action_space)
    reader = StateReader(reading.read(variables), *spaces, reading.dt_s)
    reader.reset(env, env._get_obs(), env._get_reset_info())
    # A step of RK4 has four stages: sensors are of the first one, what is left in `env.data` of
    # the last one.
    stages = env.model.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4
    loose = {"foot_contact_forces"} & {*variables} if stages else set()
    forces: list[Any] = []
    before = pair.env.state
    for _ in range(40):
        ours, theirs = pair.step()
        action = env.data.ctrl.copy()
        state = reader.step(env, theirs[0].observation, action, theirs[0].info)
        forces += [(state[name], ours.state[name][0].numpy()) for name in loose]
        for variable in {*variables} - loose:
            _assert_near(variable, state[variable], ours.state[variable][0])
            _assert_near(variable, state[f"prev_{variable}"], before[variable][0])
        before = ours.state
        if pair.restart(ours):
            reader.reset(env, env._get_obs(), env._get_reset_info())
            before = pair.env.state
    if forces:
        theirs_mean, ours_mean = np.mean(forces, axis=(0, 2))
        assert 0.5 < theirs_mean / ours_mean < 2.0


def _assert_near(name: str, theirs: Any, ours: Any) -> None:
    np.testing.assert_allclose(theirs, ours, rtol=2e-3, atol=2e-3, err_msg=name)


def test_a_reading_makes_the_environment_with_the_task_s_own_arguments() -> None:
    rule = fitness_rule("info:x_position")
    task = batch_task("Hopper-v5", {"frame_skip": 2}, rule)
    assert task is not None
    reading = task.gymnasium_reading
    env: Any = gymnasium.make(reading.environment, **reading.kwargs)
    assert env.unwrapped.frame_skip == 2
    assert reading.dt_s == pytest.approx(env.unwrapped.dt)

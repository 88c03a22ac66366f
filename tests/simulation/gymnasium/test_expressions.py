"""The state of any environment by id is read alike by its tasks and by wrappers."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

from eureka_agent.simulation.gymnasium import GymnasiumTask
from eureka_agent.simulation.gymnasium.fitness import fitness_rule
from eureka_agent.simulation.gymnasium.reward_wrapper import StateReader
from eureka_agent.simulation.gymnasium.slots import Reader


class _Workshop(gymnasium.Env[Any, Any]):
    """Moves a tool."""

    def __init__(self, **_: Any) -> None:
        box = gymnasium.spaces.Box(-1.0, 1.0, (2, 2))
        self.observation_space = gymnasium.spaces.Dict(
            {"grid": box, "tool": gymnasium.spaces.Discrete(3)}
        )
        self.action_space = gymnasium.spaces.MultiDiscrete([2, 3])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self._seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        info = {"heat": float(action[1]), "place": np.array([1.0, np.nan])}
        return self._seen(), 1.0, False, False, info

    def _seen(self) -> dict[str, Any]:
        grid = self.np_random.uniform(-1.0, 1.0, (2, 2)).astype(np.float32)
        return {"grid": grid, "tool": int(self.np_random.integers(3))}


def state_of(task: GymnasiumTask, env: Any, observation: Any, info: Any) -> dict[str, Any]:
    """Return the variables as the workers of the task read them."""
    recipe, fields = task.recipe(None)
    row = np.zeros(recipe.size, dtype=np.float32)
    Reader(recipe, env).read(observation, dict(info), row)
    assert task.observation_size is not None
    row[task.observation_size :] = np.nan_to_num(row[task.observation_size :])
    return {
        name: row[start : start + size].reshape(shape)
        for name, (start, size, shape) in fields.items()
    }


@pytest.fixture(scope="module", autouse=True)
def _registered() -> None:
    gymnasium.register("tests/Workshop-v0", _Workshop, max_episode_steps=50)


@pytest.mark.parametrize("name", ["CartPole-v1", "tests/Workshop-v0", "Hopper-v5", "Pusher-v5"])
def test_a_wrapper_reads_what_the_task_s_own_environments_give_to_rewards(name: str) -> None:
    task = GymnasiumTask(name, {}, fitness_rule("env_return"))
    reading = task.gymnasium_reading
    variables = [one.name for one in task.state_spec.tensors]
    env = gymnasium.make(reading.environment)
    reader = StateReader(reading.read(variables), env.observation_space, env.action_space, task.dt)
    env.action_space.seed(0)
    observation, info = env.reset(seed=0)
    reader.reset(env, observation, info)
    for _ in range(8):
        before = state_of(task, env, observation, info)
        action = env.action_space.sample()
        observation, _, _, _, info = env.step(action)
        state = reader.step(env, observation, action, info)
        after = state_of(task, env, observation, info)
        for variable in variables:
            np.testing.assert_allclose(state[variable], after[variable], err_msg=variable)
            np.testing.assert_allclose(state[f"prev_{variable}"], before[variable])
            assert state[variable].shape == task.state_spec[variable].shape
    assert state["action"].shape == (task.action_size,)


def test_every_variable_has_an_expression() -> None:
    task = GymnasiumTask("Ant-v5", {}, fitness_rule("env_return"))
    known = task.gymnasium_reading.expressions.keys() | {"action", "episode_time"}
    assert {one.name for one in task.reward_inputs.tensors} == known

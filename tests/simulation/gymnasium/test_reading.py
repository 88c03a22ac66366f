"""The state that a task reads in Gymnasium's environment is the state that rewards read here."""

from __future__ import annotations

from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
import torch

from eureka_agent.errors import UsageError
from eureka_agent.simulation.gymnasium import GymnasiumReading, SupportsGymnasium, reading_of
from eureka_agent.simulation.gymnasium.reward_wrapper import StateReader, action_entries
from eureka_agent.tasks.registry import find_task

_READING = GymnasiumReading(
    "CartPole-v1",
    {"pole_angle": "observation[2]", "steps": "info.get('steps', 0)", "mass": "env.masspole"},
    dt_s=0.02,
)


def _hopper(qpos: Any, qvel: Any) -> gymnasium.Env[Any, Any]:
    """Return Gymnasium's hopper with our integrator, in a given state."""
    env = gymnasium.make("Hopper-v5")
    env.reset(seed=0)
    inner: Any = env.unwrapped
    inner.model.opt.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    inner.set_state(qpos, qvel)
    return env


def test_hopper_reads_in_gymnasium_what_rewards_read_in_its_own_environment() -> None:
    task = find_task("hopper_forward")
    assert isinstance(task, SupportsGymnasium)
    reading = task.gymnasium_reading
    ours = task.make_env(1, seed=3)
    qvel = ours.state["obs_buf"][0, 5:].double().numpy()
    env = _hopper(ours.configuration[0].double().numpy(), qvel)  # type: ignore[attr-defined]
    names = [name for name in task.reward_inputs.shapes if name != "prev_obs_buf"]
    reader = StateReader(reading.read(names), env.observation_space, env.action_space, reading.dt_s)
    reader.reset(env, ours.state["obs_buf"][0].numpy(), {})
    random = np.random.default_rng(0)
    landed = 0.0
    for _ in range(40):
        action = random.uniform(-1.0, 1.0, 3).astype(np.float32)
        before = ours.state
        step = ours.step(torch.from_numpy(action)[None])
        observation, _, ended, _, info = env.step(action)
        state = reader.step(env, observation, action, info)
        for name, expected in step.state.items():
            np.testing.assert_allclose(state[name], expected[0], rtol=2e-3, atol=2e-3, err_msg=name)
        for name in ("torso_position", "joint_velocities"):
            np.testing.assert_allclose(state[f"prev_{name}"], before[name][0], rtol=2e-3, atol=2e-3)
        landed = max(landed, float(state["foot_contact_force"]))
        if ended:
            break
    assert landed > 10.0


def test_a_reading_reads_only_what_is_asked_for() -> None:
    env = gymnasium.make("CartPole-v1")
    observation, info = env.reset(seed=0)
    read = _READING.read(("prev_pole_angle", "action", "episode_time"))
    assert read(env.unwrapped, observation, None, info) == {"pole_angle": observation[2]}


def test_observations_of_dictionaries_are_read_flattened() -> None:
    box, choice = gymnasium.spaces.Box(-1.0, 1.0, (2,)), gymnasium.spaces.Discrete(3)
    space = gymnasium.spaces.Dict({"arm": box, "tool": choice})
    reading = GymnasiumReading("Any-v0", {"tool": "observation[2:]", "arm": "observation[:2]"}, 0.1)
    reader = StateReader(reading.read(("tool", "prev_arm")), space, choice, reading.dt_s)
    env = gymnasium.make("CartPole-v1")
    reader.reset(env, {"arm": np.array([0.5, -0.5]), "tool": 1}, {})
    state = reader.step(env, {"arm": np.array([0.0, 1.0]), "tool": 2}, 0, {})
    assert state["tool"].tolist() == [0.0, 0.0, 1.0]
    assert state["prev_arm"].tolist() == [0.5, -0.5]
    assert state["episode_time"] == pytest.approx(0.1)


def test_a_variable_without_an_expression_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(
        UsageError, match=r"reads cart, which .* only pole_angle, steps, mass, action"
    ):
        _READING.source(("prev_cart",))


def test_only_expressions_of_the_environment_need_it() -> None:
    assert not _READING.needs_environment(("pole_angle", "steps"))
    assert _READING.needs_environment(("prev_mass",))


def test_a_task_without_an_environment_of_gymnasium_says_so() -> None:
    task = find_task("cartpole")
    with pytest.raises(UsageError, match="cartpole has no environment of Gymnasium"):
        reading_of(task, task.name)


@pytest.mark.parametrize(
    ("space", "action", "entries"),
    [
        (gymnasium.spaces.Box(-2.0, 2.0, (2,)), [1.0, -4.0], [0.5, -1.0]),
        (gymnasium.spaces.Box(0.0, 1.0, (1,)), [0.25], [-0.5]),
        (gymnasium.spaces.Discrete(3), 1, [0, 1, 0]),
        (gymnasium.spaces.Discrete(3, start=-1), 1, [0, 0, 1]),
        (gymnasium.spaces.MultiDiscrete([2, 3]), [1, 0], [0, 1, 1, 0, 0]),
        (gymnasium.spaces.MultiBinary(2), [1, 0], [0, 1, 1, 0]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_actions_are_entries_in_the_unit_range_or_one_for_each_option_taken(
    space: gymnasium.Space[Any], action: Any, entries: list[float]
) -> None:
    given = np.asarray(action, dtype=space.dtype)
    np.testing.assert_allclose(action_entries(space, given), entries)
    assert action_entries(space, None).tolist() == [0.0] * len(entries)

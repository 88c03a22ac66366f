"""A reward in environments of Gymnasium, single and vectorised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from eureka_agent.api.reward_function import RewardFunction
from eureka_agent.errors import UsageError
from eureka_agent.simulation.gymnasium import GymnasiumReading, wrapped
from eureka_agent.tasks.registry import find_task

_HUMAN = Path(__file__).parents[3] / "envs" / "hopper_forward" / "human_reward.py"
_STEPS = 60


@pytest.fixture(scope="module")
def human() -> Iterator[RewardFunction]:
    with RewardFunction.load(_HUMAN, find_task("hopper_forward")) as reward:
        yield reward


def _hopper() -> gymnasium.Env[Any, Any]:
    return gymnasium.make("Hopper-v5")


def _cartpole() -> gymnasium.Env[Any, Any]:
    return gymnasium.make("CartPole-v1")


def test_a_wrapped_environment_pays_the_reward_and_keeps_its_own_in_info(
    human: RewardFunction,
) -> None:
    env = human.as_wrapper(_hopper())
    env.action_space.seed(0)
    env.reset(seed=0)
    for _ in range(_STEPS):
        _, reward, terminated, _, info = env.step(env.action_space.sample())
        # Gymnasium's own reward takes the position after the last physics step, ours before it.
        assert reward == pytest.approx(info["own_reward"], abs=0.02) or terminated
        assert reward == pytest.approx(sum(info["reward_components"].values()), abs=1e-5)
        if terminated:
            env.reset()


def test_a_wrapped_vector_pays_each_environment_what_it_earns_alone(human: RewardFunction) -> None:
    vector = human.as_wrapper(SyncVectorEnv([_hopper] * 3))
    alone = [human.as_wrapper(_hopper()) for _ in range(3)]
    vector.reset(seed=[0, 1, 2])
    for index, env in enumerate(alone):
        env.reset(seed=index)
    vector.action_space.seed(0)
    ended = np.zeros(3, dtype=bool)
    restarts = 0
    for _ in range(_STEPS):
        actions = vector.action_space.sample()
        _, rewards, terminated, _, info = vector.step(actions)
        for index, env in enumerate(alone):
            if ended[index]:
                restarts += 1
                assert rewards[index] == 0.0
                assert info["reward_components"]["forward"][index] == 0.0
                env.reset()
                continue
            _, reward, _, _, own = env.step(actions[index])
            assert rewards[index] == pytest.approx(reward, abs=1e-6)
            assert info["own_reward"][index] == pytest.approx(own["own_reward"])
        ended = terminated
    assert restarts > 0


def test_environments_in_other_processes_are_read_by_observations_alone() -> None:
    reading = GymnasiumReading(
        "CartPole-v1", {"pole_angle": "observation[2]", "mass": "env.masspole"}, dt_s=0.02
    )

    def pay(state: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return -np.abs(state["pole_angle"]) - np.abs(state["prev_pole_angle"]), {}

    vector: AsyncVectorEnv = AsyncVectorEnv([_cartpole] * 2)
    try:
        env = wrapped(vector, pay, reading, ("pole_angle", "prev_pole_angle"))
        before, _ = env.reset(seed=0)
        after, rewards, _, _, _ = env.step(env.action_space.sample())
        expected = -np.abs(before[:, 2]) - np.abs(after[:, 2])
        np.testing.assert_allclose(rewards, expected, rtol=1e-5)
        with pytest.raises(UsageError, match=r"SyncVectorEnv"):
            wrapped(vector, pay, reading, ("mass",))
    finally:
        vector.close()


def test_a_vector_that_restarts_in_the_same_step_is_refused(human: RewardFunction) -> None:
    vector = SyncVectorEnv([_hopper], autoreset_mode=AutoresetMode.SAME_STEP)
    with pytest.raises(UsageError, match=r"SAME_STEP the last state of an episode is lost"):
        human.as_wrapper(vector)


def test_an_environment_of_another_kind_is_warned_about(
    human: RewardFunction, caplog: pytest.LogCaptureFixture
) -> None:
    human.as_wrapper(_hopper())
    assert not caplog.messages
    human.as_wrapper(_cartpole())
    (message,) = caplog.messages
    assert message.startswith("The reward is for Hopper-v5, and the environment is CartPole-v1")


def test_something_else_than_an_environment_is_refused(human: RewardFunction) -> None:
    with pytest.raises(UsageError, match=r"gymnasium\.make\('Hopper-v5'\): got str"):
        human.as_wrapper("Hopper-v5")  # type: ignore[call-overload]


def test_a_discrete_environment_pays_by_the_option_that_was_taken() -> None:
    reading = GymnasiumReading("CartPole-v1", {}, dt_s=0.02)

    def pay(state: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return state["action"][:, 1] + 10.0 * state["episode_time"], {
            "right": state["action"][:, 1]
        }

    env = wrapped(_cartpole(), pay, reading, ("action", "episode_time"))
    env.reset(seed=0)
    paid = [env.step(action)[1] for action in (0, 1, 1)]
    assert paid == pytest.approx([0.2, 1.4, 1.6])


@pytest.mark.slow
def test_stable_baselines3_trains_on_a_wrapped_environment(human: RewardFunction) -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    model = sb3.PPO("MlpPolicy", human.as_wrapper(_hopper()), n_steps=64, seed=0, device="cpu")
    model.learn(128)
    assert model.num_timesteps == 128

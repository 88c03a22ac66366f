"""stable-baselines3 on our environments: its contract, time-outs and exported policies."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from eureka_agent import SynthesisConfig, synthesize
from eureka_agent.config import TrainingBudget
from eureka_agent.rewards.runner import SparseReward
from eureka_agent.simulation.rollouts import evaluate, random_actions
from eureka_agent.tasks.registry import load_task
from eureka_agent.tasks.task import Task
from eureka_agent.training import TrainerSettings
from eureka_agent.training.external import ExternalEnvironment
from tests.support.in_process import human_reward

stable_baselines3 = pytest.importorskip("stable_baselines3")
from eureka_agent.training.sb3 import Sb3Trainer, Sb3VecEnv, export, make_model  # noqa: E402  after the skip

TINY = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 2, horizon=16, hidden=(16, 8))


def short_cartpole() -> Task:
    task = copy.copy(load_task("cartpole"))
    task.max_episode_steps = 5
    return task


class Spy(Sb3VecEnv):
    """Keeps what the environment returned last."""

    def step_wait(self) -> Any:
        self.answer = super().step_wait()
        return self.answer


def test_time_outs_and_failures_are_distinguished() -> None:
    env = Sb3VecEnv(ExternalEnvironment(short_cartpole(), SparseReward(), TINY, seed=0))
    first = env.reset()
    for _ in range(5):
        observation, reward, done, infos = env.step(np.zeros((8, 1), np.float32))
    assert reward.tolist() == [1.0] * 8
    assert done.all()
    for i, info in enumerate(infos):
        assert info["TimeLimit.truncated"] is True
        assert info["terminal_observation"].shape == first[i].shape
        # A new episode has begun.
        assert not np.array_equal(info["terminal_observation"], observation[i])
    env = Sb3VecEnv(ExternalEnvironment(load_task("cartpole"), SparseReward(), TINY, seed=0))
    env.reset()
    done = np.zeros(8, bool)
    while not done.any():
        _, _, done, infos = env.step(np.ones((8, 1), np.float32))
    assert {info["TimeLimit.truncated"] for info, end in zip(infos, done, strict=True) if end} == {
        False
    }
    assert all(not info for info, end in zip(infos, done, strict=True) if not end)


def test_time_out_bootstraps_from_the_last_observation() -> None:
    env = Spy(ExternalEnvironment(short_cartpole(), SparseReward(), TINY, seed=0))
    still = {"log_std_init": -5.0}
    model = stable_baselines3.PPO(
        "MlpPolicy", env, n_steps=5, batch_size=8, gamma=0.9, policy_kwargs=still, seed=0
    )
    _, callback = model._setup_learn(40, None)
    model.collect_rollouts(env, callback, model.rollout_buffer, 5)
    final = torch.as_tensor(np.stack([info["terminal_observation"] for info in env.answer[3]]))
    value = model.policy.predict_values(final).detach().numpy()[:, 0]
    # The sparse reward is 1 per step; the fifth step of five adds 0.9 times the value of its last
    # observation.
    assert (model.rollout_buffer.rewards[:4] == 1.0).all()
    assert model.rollout_buffer.rewards[4] == pytest.approx(1.0 + 0.9 * value, rel=1e-5)
    assert np.abs(value).max() > 1e-3


def test_replay_buffer_marks_time_outs() -> None:
    env = ExternalEnvironment(short_cartpole(), SparseReward(), TINY, seed=0)
    model = make_model(env, "SAC", seed=0, options={"gradient_steps": 1})
    model.learn(8 * 10)
    buffer = model.replay_buffer
    assert (buffer.dones[4] == 1.0).all()
    assert np.array_equal(buffer.timeouts[:10], buffer.dones[:10])


@pytest.mark.parametrize(
    ("algorithm", "activation", "output", "options"),
    [
        ("PPO", "elu", "clip", {}),
        ("PPO", "tanh", "clip", {"policy_kwargs": {"activation_fn": nn.Tanh, "net_arch": [16]}}),
        ("A2C", "elu", "clip", {}),
        ("SAC", "relu", "tanh", {"gradient_steps": 1}),
        ("TD3", "relu", "tanh", {"gradient_steps": 1}),
        ("DDPG", "relu", "tanh", {"gradient_steps": 1}),
    ],
)
def test_exported_policy_acts_as_the_library_predicts(
    algorithm: str, activation: str, output: str, options: dict[str, Any]
) -> None:
    model = make_model(
        ExternalEnvironment(load_task("cartpole"), SparseReward(), TINY, seed=0),
        algorithm,
        seed=0,
        options=options,
    )
    model.learn(8 * 16 * 2)
    policy = export(model)
    assert (policy.activation, policy.output) == (activation, output)
    observation = torch.randn(64, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [[0.1], [100.0]] * 32
    )
    normalised = model.get_vec_normalize_env().normalize_obs(observation.numpy())
    predicted, _ = model.predict(normalised, deterministic=True)
    with torch.no_grad():
        assert policy(observation).numpy() == pytest.approx(predicted, abs=1e-5)
    assert np.ptp(predicted) > 1e-3


@pytest.mark.slow
def test_ppo_learns_the_cartpole() -> None:
    task = load_task("cartpole")
    budget = TrainingBudget(num_envs=32, environment_steps=40_000)
    (result,) = Sb3Trainer().train(task, [human_reward(task)], TrainerSettings(budget, seed=0))
    assert result.policy is not None
    trained, random = evaluate(
        task, [result.policy, random_actions(task, seed=0)], episodes=32, seed=0
    )
    assert trained.fitness > 4 * random.fitness


@pytest.mark.slow
def test_run_with_sac(tmp_path: Path) -> None:
    result = synthesize(
        SynthesisConfig.of(
            task="cartpole",
            trainer="sb3:sac",
            generations=1,
            samples=2,
            budget="quick",
            num_envs=4,
            environment_steps=256,
            runs_dir=tmp_path,
        )
    )
    assert len(result.outcomes) == 2
    assert result.policy is not None
    assert result.policy.output == "tanh"

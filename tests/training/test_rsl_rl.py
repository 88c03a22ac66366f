"""rsl_rl on our environments: its contract, time-outs and exported policies."""

from __future__ import annotations

import copy

import pytest
import torch

from eureka_agent.config import TrainingBudget
from eureka_agent.rewards.runner import SparseReward
from eureka_agent.simulation.rollouts import evaluate, random_actions
from eureka_agent.tasks.registry import load_task
from eureka_agent.training import TrainerSettings
from eureka_agent.training.external import ExternalEnvironment
from tests.support.in_process import human_reward

pytest.importorskip("rsl_rl")
from eureka_agent.training.rsl_rl import RslRlTrainer, RslRlVecEnv, export, make_runner

TINY = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 2, horizon=16, hidden=(16, 8))


def test_time_outs_and_failures_are_distinguished() -> None:
    task = copy.copy(load_task("cartpole"))
    task.max_episode_steps = 5
    env = RslRlVecEnv(ExternalEnvironment(task, SparseReward(), TINY, seed=0))
    for step in range(5):
        assert env.episode_length_buf.tolist() == [step] * 8
        observations, reward, done, extras = env.step(torch.zeros(8, 1))
    assert reward.shape == done.shape == extras["time_outs"].shape == (8,)
    assert done.all()
    assert extras["time_outs"].all()
    assert env.episode_length_buf.tolist() == [0] * 8
    assert torch.equal(observations["policy"], env.get_observations()["policy"])
    env = RslRlVecEnv(ExternalEnvironment(load_task("cartpole"), SparseReward(), TINY, seed=0))
    done = torch.zeros(8, dtype=torch.bool)
    while not done.any():
        _, _, done, extras = env.step(torch.ones(8, 1))
    assert not extras["time_outs"].any()


def test_time_out_bootstraps() -> None:
    task = copy.copy(load_task("cartpole"))
    task.max_episode_steps = 1
    runner = make_runner(ExternalEnvironment(task, SparseReward(), TINY, seed=0))
    with torch.inference_mode():
        observations = runner.env.get_observations()
        action = runner.alg.act(observations)
        value = runner.alg.transition.values[:, 0].clone()
        observations, reward, done, extras = runner.env.step(action)
        runner.alg.process_env_step(observations, reward, done, extras)
    # rsl_rl adds 0.99 times the value before the step as an estimate of the value after it.
    assert torch.allclose(runner.alg.storage.rewards[0, :, 0], reward + 0.99 * value)
    assert value.abs().max() > 1e-3


def test_exported_policy_acts_as_the_library_predicts(capsys: pytest.CaptureFixture[str]) -> None:
    runner = make_runner(ExternalEnvironment(load_task("cartpole"), SparseReward(), TINY, seed=0))
    runner.learn(2)
    policy = export(runner)
    observation = torch.randn(64, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [[0.1], [100.0]] * 32
    )
    with torch.no_grad():
        predicted = runner.get_inference_policy()({"policy": observation})
        assert torch.allclose(policy(observation), predicted.clamp(-1.0, 1.0), atol=1e-5)
    assert float(predicted.max() - predicted.min()) > 1e-3
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_ppo_learns_the_cartpole() -> None:
    task = load_task("cartpole")
    budget = TrainingBudget(num_envs=32, environment_steps=40_000)
    (result,) = RslRlTrainer().train(task, [human_reward(task)], TrainerSettings(budget, seed=0))
    assert result.policy is not None
    trained, random = evaluate(
        task, [result.policy, random_actions(task, seed=0)], episodes=32, seed=0
    )
    assert trained.fitness > 4 * random.fitness

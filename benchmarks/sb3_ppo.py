"""stable-baselines3's PPO on Gymnasium's environments, with our network and updates."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable
from typing import Any

from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize
from torch import nn

from benchmarks.gymnasium_tasks import GymnasiumTask, Weights
from eureka_agent.config import TrainingBudget

ENVS = 8
"""Number of Gymnasium's environments in one training."""

VecKind = Callable[[list[Callable[[], Any]]], VecEnv]


def import_once() -> None:
    """Fork processes from one that has imported this module.

    Else all would import torch at the same time, which takes seconds.
    """
    multiprocessing.set_forkserver_preload([__name__])


def total_steps(budget: TrainingBudget) -> int:
    """Return the environment steps of a training in whole rollouts."""
    return budget.iterations * budget.num_envs * budget.horizon


def make_environment(
    task: GymnasiumTask,
    budget: TrainingBudget,
    *,
    kind: VecKind = DummyVecEnv,
    weights: Weights | None = None,
) -> VecNormalize:
    """Return `ENVS` of the task's Gymnasium environments, normalised like ours."""
    return VecNormalize(kind([task.maker(weights)] * ENVS), gamma=budget.discount)


def make_ppo(
    environment: VecNormalize,
    budget: TrainingBudget,
    seed: int,
    *,
    learning_rate: float | None = None,
) -> PPO:
    """Return PPO with the budget's rows per update, epochs, minibatches, learning rate, network."""
    rows = budget.num_envs * budget.horizon
    return PPO(
        "MlpPolicy",
        environment,
        n_steps=rows // ENVS,
        batch_size=rows // budget.minibatches,
        n_epochs=budget.epochs,
        learning_rate=learning_rate or budget.learning_rate,
        gamma=budget.discount,
        gae_lambda=budget.gae_lambda,
        max_grad_norm=1.0,
        policy_kwargs={
            "net_arch": list(budget.hidden),
            "activation_fn": nn.ELU,
            "log_std_init": math.log(budget.initial_std),
        },
        seed=seed,
        device="cpu",
    )

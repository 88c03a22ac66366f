"""Training with stable-baselines3 (Raffin et al. 2021) instead of the population.

It needs the extra `sb3`. The value function sees what the policy sees: a task's privileged state is
not used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import stable_baselines3
import torch
from gymnasium.spaces import Box, Discrete, MultiDiscrete, Space
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv, VecNormalize
from torch import nn

from eureka_agent.config import TrainingBudget, sb3_algorithm
from eureka_agent.errors import UsageError
from eureka_agent.tasks.task import Task
from eureka_agent.training.export import export_mlp
from eureka_agent.training.external import ExternalEnvironment, SequentialTrainer, blame_divergence
from eureka_agent.training.policy import OBSERVATION_CLIP, Output, Policy

_TARGET_KL = 0.02
_NOISE = 0.1  # Fujimoto et al. 2018
_REPLAY_ROWS = 1_000_000

Array = NDArray[Any]


class Sb3Trainer(SequentialTrainer):
    """Trains with an algorithm of stable-baselines3.

    stable-baselines3 seeds the global random numbers of Python and numpy.
    """

    name = "sb3"

    def __init__(self, algorithm: str = "PPO", options: Mapping[str, Any] | None = None) -> None:
        """Make a trainer.

        Args:
            algorithm: See `sb3_algorithm`.
            options: Arguments of the algorithm that replace ours.
        """
        self._algorithm = algorithm
        self._options = options

    def learn(self, env: ExternalEnvironment, seed: int) -> Policy:
        """See `SequentialTrainer.learn`."""
        budget = env.budget
        model = make_model(env, self._algorithm, seed=seed, options=self._options)
        with blame_divergence(model.policy):
            model.learn(budget.iterations * budget.num_envs * budget.horizon)
        return export(model)


class Sb3VecEnv(VecEnv):
    """An `ExternalEnvironment` with the interface of stable-baselines3.

    It returns numpy arrays; `info` has the last observation of an episode that ended.
    """

    render_mode = None

    def __init__(self, env: ExternalEnvironment) -> None:
        self.env = env
        environment = env.environment
        observations = Box(-np.inf, np.inf, (environment.observation_size,), np.float32)
        super().__init__(environment.num_envs, observations, _action_space(env.task))
        self._action = torch.zeros(environment.num_envs, env.task.action_size)

    def reset(self) -> Array:
        """Start new episodes; return the observations `(num_envs, observation_size)`."""
        return self.env.environment.reset().numpy()

    def step_async(self, actions: Array) -> None:
        """Keep the actions for `step_wait`: `(num_envs, action_size)`, or the options' numbers."""
        choices = self.env.task.action_choices
        if not choices:
            self._action = torch.as_tensor(actions, dtype=torch.float32)
            return
        taken = torch.as_tensor(actions).view(self.num_envs, len(choices))
        parts = [nn.functional.one_hot(taken[:, k], n) for k, n in enumerate(choices)]
        self._action = torch.cat(parts, dim=1).float()

    def step_wait(self) -> tuple[Array, Array, Array, list[dict[str, Any]]]:
        """Step; return observations, rewards, ends and one `info` per environment.

        Raises:
            CandidateError: See `ExternalEnvironment.step`.
        """
        step, reward = self.env.step(self._action)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in step.finished.env_ids.tolist():
            infos[i]["terminal_observation"] = step.final_observation[i].numpy()
            infos[i]["TimeLimit.truncated"] = bool(step.truncated[i])
        return (
            step.observation.numpy(),
            reward.numpy(),
            (step.terminated | step.truncated).numpy(),
            infos,
        )

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of this object, once per selected environment."""
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not supported: the environments are one batch without attributes of their own."""
        raise NotImplementedError("the environments are one batch: set_attr is not supported")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Not supported: the environments are one batch without methods of their own."""
        raise NotImplementedError("the environments are one batch: env_method is not supported")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Return False for each environment: none has a gymnasium wrapper."""
        return [False for _ in self._get_indices(indices)]


def _action_space(task: Task) -> Space[Any]:
    if not task.action_choices:
        return Box(-1.0, 1.0, (task.action_size,), np.float32)
    if len(task.action_choices) == 1:
        return Discrete(task.action_choices[0])
    return MultiDiscrete(list(task.action_choices))


def make_model(
    env: ExternalEnvironment,
    algorithm: str,
    *,
    seed: int,
    options: Mapping[str, Any] | None = None,
) -> BaseAlgorithm:
    """Return an algorithm that learns in `env`, with normalised observations and rewards.

    Raises:
        UsageError: There is no such algorithm, or it does not support the task's actions.
    """
    algorithm = sb3_algorithm(algorithm)
    if env.task.action_choices and algorithm in ("DDPG", "SAC", "TD3"):
        raise UsageError(
            f"{algorithm} does not support the discrete actions of {env.task.name}: take PPO or A2C"
            " (--trainer sb3:PPO)."
        )
    budget = env.budget
    environment = VecNormalize(Sb3VecEnv(env), gamma=budget.discount, clip_obs=OBSERVATION_CLIP)
    kind = getattr(stable_baselines3, algorithm)
    arguments = {**_arguments(algorithm, budget), **(options or {})}
    if algorithm in ("DDPG", "TD3"):  # their policies do not explore by themselves
        size = env.task.action_size
        arguments.setdefault(
            "action_noise", NormalActionNoise(np.zeros(size), np.full(size, _NOISE))
        )
    return kind("MlpPolicy", environment, seed=seed, device="cpu", **arguments)


def _arguments(algorithm: str, budget: TrainingBudget) -> dict[str, Any]:
    """Return the algorithm's arguments for a budget; all others have the library's defaults."""
    if algorithm in ("DDPG", "SAC", "TD3"):
        return {
            "gamma": budget.discount,
            "train_freq": 1,
            "gradient_steps": -1,  # one per environment step, as published
            "buffer_size": min(_REPLAY_ROWS, budget.environment_steps + budget.num_envs),
            "policy_kwargs": {"net_arch": list(budget.hidden)},
        }
    arguments: dict[str, Any] = {
        "gamma": budget.discount,
        "gae_lambda": budget.gae_lambda,
        "n_steps": budget.horizon,
        "ent_coef": budget.entropy,
        "policy_kwargs": {
            "net_arch": list(budget.hidden),
            "activation_fn": nn.ELU,
            "log_std_init": math.log(budget.initial_std),
        },
    }
    if algorithm == "PPO":
        rows = budget.num_envs * budget.horizon
        arguments |= {
            "batch_size": max(2, rows // budget.minibatches),
            "n_epochs": budget.epochs,
            "learning_rate": budget.learning_rate,
            "max_grad_norm": 1.0,
            "target_kl": _TARGET_KL,
        }
    return arguments


def export(model: BaseAlgorithm) -> Policy:
    """Return the policy of `model.predict(…, deterministic=True)` with normalised observations."""
    policy = model.policy
    space = model.action_space
    choices: list[int] = []
    if isinstance(space, Discrete):
        choices = [int(space.n)]
    elif isinstance(space, MultiDiscrete):
        choices = space.nvec.tolist()
    statistics = model.get_vec_normalize_env()
    output: Output
    mean = torch.as_tensor(statistics.obs_rms.mean, dtype=torch.float32)
    std = torch.as_tensor(np.sqrt(statistics.obs_rms.var + statistics.epsilon), dtype=torch.float32)
    if isinstance(policy, ActorCriticPolicy):
        networks = [policy.mlp_extractor.policy_net, policy.action_net]
        output = "clip"
    else:  # the mean is a separate layer in SAC, and part of one network in TD3 and DDPG
        actor = policy.actor
        networks = [actor.latent_pi, actor.mu] if hasattr(actor, "latent_pi") else [actor.mu]
        output = "tanh"
    return export_mlp(
        networks,
        mean=mean,
        std=std,
        output=output,
        observation_clip=statistics.clip_obs,
        choices=choices,
    )

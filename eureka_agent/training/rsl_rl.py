"""Training with rsl_rl's PPO (Rudin et al. 2022) instead of the population.

It needs the extra `rsl_rl`.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict
from torch import Tensor

from eureka_agent.config import TrainingBudget
from eureka_agent.errors import UsageError
from eureka_agent.simulation.batched_env import observation_of
from eureka_agent.training.export import export_mlp
from eureka_agent.training.external import ExternalEnvironment, SequentialTrainer, blame_divergence
from eureka_agent.training.policy import Policy
from eureka_agent.training.ppo.ppo import ReturnScale

_OBSERVATION, _PRIVILEGED = "policy", "privileged"
"""rsl_rl's groups of observations: the actor reads the first, the critic all that the task has."""


class RslRlTrainer(SequentialTrainer):
    """Trains with rsl_rl's PPO.

    rsl_rl switches off the validation of torch's distributions for the whole process.
    """

    name = "rsl_rl"

    def learn(self, env: ExternalEnvironment, seed: int) -> Policy:
        """See `SequentialTrainer.learn`; rsl_rl draws from torch's global random numbers."""
        if env.task.action_choices:
            raise UsageError(
                f"The trainer rsl_rl does not support the discrete actions of {env.task.name}:"
                " leave --trainer out, or take sb3:PPO."
            )
        runner = make_runner(env)
        with blame_divergence(runner.alg.get_policy()):
            runner.learn(env.budget.iterations)
        return export(runner)


class RslRlVecEnv(VecEnv):
    """An `ExternalEnvironment` with the interface of rsl_rl.

    It returns tensors and `time_outs` to bootstrap from; rewards are scaled by their return.
    """

    def __init__(self, env: ExternalEnvironment) -> None:
        environment, budget = env.environment, env.budget
        self.env = env
        self.num_envs = environment.num_envs
        self.num_actions = env.task.action_size
        self.max_episode_length = env.task.max_episode_steps
        self.episode_length_buf = torch.zeros(self.num_envs, dtype=torch.long)
        self.device = torch.device("cpu")
        self.cfg: dict[str, Any] = {}
        self._scale = ReturnScale(1, self.num_envs, budget.discount)

    def get_observations(self) -> TensorDict:
        """Return the group `policy`, `(num_envs, observation_size)`, and `privileged` if any."""
        environment = self.env.environment
        groups = {_OBSERVATION: observation_of(environment)}
        if environment.critic_observation.shape[1] > environment.observation_size:
            groups[_PRIVILEGED] = environment.critic_observation[:, environment.observation_size :]
        return TensorDict(groups, batch_size=[self.num_envs])

    def step(self, actions: Tensor) -> tuple[TensorDict, Tensor, Tensor, dict[str, Any]]:
        """Step; return observations, rewards, ends `(num_envs,)` and which of them are time-outs.

        Raises:
            CandidateError: See `ExternalEnvironment.step`.
        """
        # The tensors of the environments must outlive rsl_rl's rollout.
        with torch.inference_mode(False), torch.no_grad():
            step, reward = self.env.step(actions.clone())
            done = step.terminated | step.truncated
            scaled = self._scale(reward.view(1, 1, -1), done.view(1, 1, -1))[0, 0]
        self.episode_length_buf = torch.where(done, 0, self.episode_length_buf + 1)
        return self.get_observations(), scaled, done, {"time_outs": step.truncated}


def make_runner(env: ExternalEnvironment) -> OnPolicyRunner:
    """Return rsl_rl's training loop in `env`."""
    with redirect_stdout(io.StringIO()):  # rsl_rl prints its networks
        environment = RslRlVecEnv(env)
        configuration = _configuration(
            env.budget, critic=list(environment.get_observations().keys())
        )
        return OnPolicyRunner(environment, configuration, log_dir=None, device="cpu")


def _configuration(budget: TrainingBudget, critic: list[str]) -> dict[str, Any]:
    """Return rsl_rl's configuration for a budget; all else has the library's defaults.

    `critic`: the groups of observations that the critic reads.
    """
    network = {
        "class_name": "MLPModel",
        "hidden_dims": list(budget.hidden),
        "activation": "elu",
        "obs_normalization": True,
    }
    noise = {
        "class_name": "GaussianDistribution",
        "init_std": budget.initial_std,
        "std_type": "log",
    }
    return {
        "num_steps_per_env": budget.horizon,
        "obs_groups": {"actor": [_OBSERVATION], "critic": critic},
        "actor": {**network, "distribution_cfg": noise},
        "critic": network,
        "algorithm": {
            "class_name": "PPO",
            "num_learning_epochs": budget.epochs,
            "num_mini_batches": budget.minibatches,
            "learning_rate": budget.learning_rate,
            "gamma": budget.discount,
            "lam": budget.gae_lambda,
            "entropy_coef": budget.entropy,
        },
    }


def export(runner: OnPolicyRunner) -> Policy:
    """Return the policy of `runner.get_inference_policy()`, with actions clipped to [-1, 1]."""
    actor = runner.alg.get_policy()
    normaliser = actor.obs_normalizer
    return export_mlp([actor.mlp], mean=normaliser.mean, std=normaliser.std + normaliser.eps)

"""Drops environments of a simulator that can only step all of them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from eureka_agent.simulation.batched_env import BatchedEnv, Episodes, Step, SupportsKeep
from eureka_agent.tasks.task import State


def with_keep(env: BatchedEnv) -> SupportsKeep:
    """Return `env` if it can drop environments, else a wrapper that hides the dropped ones."""
    return env if isinstance(env, SupportsKeep) else SubsetEnv(env)


class SubsetEnv:
    """Some environments of `env`. The others are stepped as well, with actions of 0."""

    def __init__(self, env: BatchedEnv) -> None:
        self._env = env
        self._ids = torch.arange(env.num_envs, device=env.device)
        self.device = env.device
        self.observation_size = env.observation_size

    @property
    def num_envs(self) -> int:
        """Number of environments that are kept."""
        return len(self._ids)

    @property
    def state(self) -> State:
        """See `BatchedEnv.state`."""
        return _rows_of(self._env.state, self._ids)

    @property
    def critic_observation(self) -> Tensor:
        """See `BatchedEnv.critic_observation`."""
        return self._env.critic_observation[self._ids]

    def keep(self, ids: Tensor) -> None:
        """See `SupportsKeep.keep`."""
        self._ids = self._ids[ids]

    def reset(self) -> Tensor:
        """See `BatchedEnv.reset`."""
        return self._env.reset()[self._ids]

    def step(self, action: Tensor) -> Step:
        """See `BatchedEnv.step`."""
        whole = torch.zeros(self._env.num_envs, action.shape[1], device=self.device)
        step = self._env.step(whole.index_copy(0, self._ids, action))
        return Step(
            observation=step.observation[self._ids],
            final_observation=step.final_observation[self._ids],
            final_critic_observation=step.final_critic_observation[self._ids],
            state=_rows_of(step.state, self._ids),
            terminated=step.terminated[self._ids],
            truncated=step.truncated[self._ids],
            fitness=step.fitness[self._ids],
            sparse_reward=step.sparse_reward[self._ids],
            bad=step.bad[self._ids],
            finished=self._finished(step.finished),
            own_reward=None if step.own_reward is None else step.own_reward[self._ids],
        )

    def _finished(self, episodes: Episodes) -> Episodes:
        """Return the episodes that ended in kept environments, under their new numbers."""
        numbers = torch.full((self._env.num_envs,), -1, device=self.device)
        numbers[self._ids] = torch.arange(len(self._ids), device=self.device)
        here = numbers[episodes.env_ids]
        kept = here >= 0
        measures = {name: value[kept] for name, value in episodes.measures.items()}
        return Episodes(here[kept], episodes.fitness[kept], episodes.length[kept], measures)


def _rows_of(tensors: Mapping[str, Tensor], ids: Tensor) -> dict[str, Tensor]:
    return {name: value[ids] for name, value in tensors.items()}

"""The contract with any simulator: many copies of one task's environment, stepped together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.tasks.task import State


@dataclass(frozen=True)
class Episodes:
    """The episodes that ended in one step."""

    env_ids: Tensor
    """`(n,)` int64: the environments in which they ended."""
    fitness: Tensor
    """`(n,)`"""
    length: Tensor
    """`(n,)` environment steps, float32."""
    measures: Mapping[str, Tensor]
    """`(n,)` each: further numbers that the task reports."""


@dataclass(frozen=True)
class Step:
    """One environment step of all environments; every tensor has `num_envs` rows."""

    observation: Tensor
    """`(num_envs, observation_size)` to act on next; of the new episode where one ended."""
    final_observation: Tensor
    """`(num_envs, observation_size)` that the step led to, before any reset."""
    final_critic_observation: Tensor
    """`(num_envs, critic_size)` that the step led to, before any reset, for the value function."""
    state: State
    """What rewards read, before any reset, with `action` and `episode_time`."""
    terminated: Tensor
    """`(num_envs,)` bool: the episode ended by failure or success, or the physics diverged."""
    truncated: Tensor
    """`(num_envs,)` bool: the time limit ended the episode, and it did not terminate."""
    fitness: Tensor
    """`(num_envs,)`: what this step added to the fitness of its episode."""
    sparse_reward: Tensor
    """`(num_envs,)`: the task's sparse reward of this step."""
    bad: Tensor
    """`(num_envs,)` bool: the physics diverged; the row's numbers mean nothing, NaNs are 0."""
    finished: Episodes
    own_reward: Tensor | None = None
    """`(num_envs,)`: what the environment itself pays (`Task.has_own_reward`), or None."""


@runtime_checkable
class BatchedEnv(Protocol):
    """`num_envs` environments of one task that are stepped together and reset themselves.

    All tensors are float32 on `device` unless said otherwise. A task's `make_env` returns one; the
    trainers, rollouts, the evaluation and the sample states use nothing else of a simulator.

    An environment may offer more. It declares a capability by having its methods: `SupportsKeep`,
    `SupportsSnapshot`, `SupportsPoses`. Where one is missing, the trainers do without it.
    """

    @property
    def num_envs(self) -> int:
        """Number of environments that a step simulates; the first dimension of all tensors."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        ...

    @property
    def observation_size(self) -> int:
        """Entries of an observation: what the policy sees."""
        ...

    @property
    def state(self) -> State:
        """`(num_envs, *shape)` each: what rewards read now, after any reset, with `action` and
        `episode_time`."""
        ...

    @property
    def critic_observation(self) -> Tensor:
        """`(num_envs, critic_size)`: what the value function sees now, the observation first."""
        ...

    def reset(self) -> Tensor:
        """Start a new episode in every environment.

        Returns:
            The observations, `(num_envs, observation_size)`.
        """
        ...

    def step(self, action: Tensor) -> Step:
        """Step every environment once, and reset those whose episode ended.

        Args:
            action: `(num_envs, action_size)`; the environment clips it to [-1, 1], or takes the
                largest entry of each of `Task.action_choices`.

        Returns:
            What happened. Its tensors are not changed by later steps.
        """
        ...


@runtime_checkable
class SupportsKeep(BatchedEnv, Protocol):
    """A `BatchedEnv` that can drop environments for good, so that the others are stepped faster."""

    def keep(self, ids: Tensor) -> None:
        """Continue with some environments only.

        Args:
            ids: `(n,)` int64, their numbers in the new order.
        """
        ...


@runtime_checkable
class SupportsSnapshot(BatchedEnv, Protocol):
    """An environment whose whole state can be saved, so that a training can be resumed."""

    def snapshot(self) -> dict[str, Tensor]:
        """Return everything that the next steps depend on."""
        ...

    def restore(self, snapshot: Mapping[str, Tensor]) -> None:
        """Continue from a snapshot.

        Args:
            snapshot: What `snapshot` returned, of the same number of environments.

        Raises:
            ValueError: The snapshot does not fit.
        """
        ...


@dataclass(frozen=True)
class BodyPoses:
    """Bodies and contacts at `n` moments."""

    poses: NDArray[np.float32]
    """`(n, bodies, 7)`: position in m and quaternion (w, x, y, z) in the world."""
    contacts: tuple[NDArray[np.float32], ...]
    """Per moment `(contacts, 3)`: where bodies touch, in m in the world."""


@runtime_checkable
class SupportsPoses(BatchedEnv, Protocol):
    """A `BatchedEnv` whose episodes can be replayed."""

    @property
    def configuration(self) -> Tensor:
        """`(num_envs, size)`: what the poses of all bodies depend on, now, after any reset."""
        ...

    def poses(self, configuration: Tensor) -> BodyPoses:
        """Return where the bodies are and where they touch.

        Args:
            configuration: `(n, size)`: moments of any environments.

        Returns:
            `n` moments, with the bodies of `Task.scene` in its order.
        """
        ...


def observation_of(env: BatchedEnv) -> Tensor:
    """Return `(num_envs, observation_size)`: what the policy sees now."""
    return env.critic_observation[:, : env.observation_size]

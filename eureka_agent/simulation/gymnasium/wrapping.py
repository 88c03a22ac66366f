"""Put a reward into environments of Gymnasium, single or vectorised."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, overload

import gymnasium
import numpy as np
from gymnasium.envs.registration import parse_env_id
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper
from gymnasium.vector.utils import iterate

from eureka_agent.errors import UsageError
from eureka_agent.simulation.gymnasium.reading import GymnasiumReading
from eureka_agent.simulation.gymnasium.reward_wrapper import (
    Pay,
    RewardWrapper,
    StateReader,
    Values,
)

_logger = logging.getLogger(__name__)


@overload
def wrapped(
    env: gymnasium.Env[Any, Any], pay: Pay, reading: GymnasiumReading, reads: Iterable[str]
) -> RewardWrapper: ...


@overload
def wrapped(
    env: VectorEnv[Any, Any, Any], pay: Pay, reading: GymnasiumReading, reads: Iterable[str]
) -> VectorRewardWrapper: ...


def wrapped(
    env: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any],
    pay: Pay,
    reading: GymnasiumReading,
    reads: Iterable[str],
) -> RewardWrapper | VectorRewardWrapper:
    """Return an environment that pays another reward.

    Args:
        env: An environment, or a vector of them, of the kind that `reading` is for.
        pay: The reward.
        reading: How its state is read.
        reads: The tensors that it reads.

    Returns:
        A wrapper around `env`.

    Raises:
        UsageError: The state cannot be read in `env`.
    """
    reads = tuple(reads)
    spec = getattr(env, "spec", None)
    if spec is not None and spec.name != parse_env_id(_id_of(reading))[1]:
        _logger.warning(
            "The reward is for %s, and the environment is %s: its state may mean something else.",
            reading.environment,
            spec.id,
        )
    if isinstance(env, VectorEnv):
        return VectorRewardWrapper(env, pay, reading, reads)
    if isinstance(env, gymnasium.Env):
        return RewardWrapper(env, pay, reading.read(reads), reading.dt_s)
    raise UsageError(
        "as_wrapper takes an environment of Gymnasium, such as gymnasium.make"
        f"({reading.environment!r}): got {type(env).__name__}."
    )


def _id_of(reading: GymnasiumReading) -> str:
    """Return the id of a reading's environment, without the module that registers it."""
    return reading.environment.rpartition(":")[2]


class VectorRewardWrapper(VectorWrapper):
    """Pays another reward than the environments' own, for a vector of environments.

    `info` is as in `RewardWrapper`, with one entry per environment. In the step in which
    environments restart (`AutoresetMode.NEXT_STEP`) they pay 0, as their own reward is then.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        pay: Pay,
        reading: GymnasiumReading,
        reads: Iterable[str],
    ) -> None:
        """See `wrapped`."""
        super().__init__(env)
        reads = tuple(reads)
        inner = env.unwrapped
        self._envs: list[Any] = [*inner.envs] if isinstance(inner, SyncVectorEnv) else []
        if not self._envs and reading.needs_environment(reads):
            raise UsageError(
                "The reward reads the environments' models, which are not in this process: use"
                " gymnasium.vector.SyncVectorEnv, or wrap each environment in its own process"
                " with a file of 'eureka-agent export --format gymnasium'."
            )
        if env.metadata.get("autoreset_mode") == AutoresetMode.SAME_STEP:
            raise UsageError(
                "With AutoresetMode.SAME_STEP the last state of an episode is lost: use"
                " AutoresetMode.NEXT_STEP or AutoresetMode.DISABLED."
            )
        self._pay = pay
        read = reading.read(reads)
        spaces = (env.single_observation_space, env.single_action_space)
        self._readers = [StateReader(read, *spaces, reading.dt_s) for _ in range(env.num_envs)]
        self._ended = np.zeros(env.num_envs, dtype=bool)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.vector.VectorEnv.reset`."""
        observation, info = self.env.reset(seed=seed, options=options)
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        for index, one in enumerate(iterate(self.env.observation_space, observation)):
            if mask[index]:
                self._readers[index].reset(self._env(index), one, _info_of(info, index))
        self._ended = self._ended & ~mask
        return observation, info

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """See `gymnasium.vector.VectorEnv.step`."""
        taken = [*iterate(self.env.action_space, actions)]
        observation, own_reward, terminated, truncated, info = self.env.step(actions)
        states: list[Values] = []
        rows: list[int] = []
        for index, one in enumerate(iterate(self.env.observation_space, observation)):
            env, own_info = self._env(index), _info_of(info, index)
            if self._ended[index]:
                self._readers[index].reset(env, one, own_info)
            else:
                states.append(self._readers[index].step(env, one, taken[index], own_info))
                rows.append(index)
        self._ended = np.logical_or(terminated, truncated)
        reward, components = self._paid(states, rows)
        info = {**info, "own_reward": own_reward, "reward_components": components}
        return observation, reward, terminated, truncated, info

    def _env(self, index: int) -> Any:
        return self._envs[index] if self._envs else _NoEnvironment

    def _paid(self, states: list[Values], rows: list[int]) -> tuple[Any, Values]:
        """Return the reward and its components `(num_envs,)`; 0 outside of `rows`."""
        reward = np.zeros(self.num_envs)
        if not states:
            return reward, {}
        batch = {name: np.stack([state[name] for state in states]) for name in states[0]}
        paid, parts = self._pay(batch)
        reward[rows] = np.asarray(paid)
        components = {name: np.zeros(self.num_envs) for name in parts}
        for name, values in parts.items():
            components[name][rows] = np.asarray(values)
        return reward, components


class _NoEnvironment:
    """Stands for an environment in another process, which no expression reads."""

    unwrapped = None


def _info_of(info: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Return one environment's `info` from that of a vector of environments."""
    own: dict[str, Any] = {}
    for name, values in info.items():
        if name.startswith("_") or not np.any(info.get(f"_{name}", True)):
            continue
        if isinstance(values, dict):
            own[name] = _info_of(values, index)
        elif np.ravel(info.get(f"_{name}", [True] * (index + 1)))[index]:
            own[name] = values[index]
    return own

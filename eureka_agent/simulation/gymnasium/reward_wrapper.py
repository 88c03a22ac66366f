"""A wrapper for environments of Gymnasium that pays another reward than the environment's own.

It needs gymnasium and numpy alone: `eureka-agent export --format gymnasium` copies this module into
the files that it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import gymnasium
import numpy as np

Values: TypeAlias = dict[str, Any]
"""Arrays by name."""
Read: TypeAlias = Callable[[Any, Any, Any, Mapping[str, Any]], Values]
"""`read_state(env, observation, action, info)`: the state of one unwrapped environment, from the
flattened observation and the entries of the action."""
Pay: TypeAlias = Callable[[Values], tuple[Any, Values]]
"""From the state, `(rows, *shape)` each, to the reward and its components, `(rows,)` each."""


class StateReader:
    """Reads what rewards read in one environment, step by step."""

    def __init__(
        self,
        read: Read,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        dt_s: float,
    ) -> None:
        """`dt_s`: seconds per step of the environment."""
        self._read = read
        self._observed = observation_space
        self._space = action_space
        self._dt_s = dt_s
        self._steps = 0
        self._before: Values = {}

    def reset(self, env: Any, observation: Any, info: Mapping[str, Any]) -> None:
        """Begin an episode."""
        self._steps = 0
        self._before = self._now(env, observation, action_entries(self._space, None), info)

    def step(self, env: Any, observation: Any, action: Any, info: Mapping[str, Any]) -> Values:
        """Return the state after a step, with `prev_<name>`, the state before it."""
        self._steps += 1
        before = {f"prev_{name}": value for name, value in self._before.items()}
        self._before = self._now(env, observation, action_entries(self._space, action), info)
        return {**before, **self._before}

    def _now(self, env: Any, observation: Any, action: Any, info: Mapping[str, Any]) -> Values:
        flat = gymnasium.spaces.flatten(self._observed, observation)
        state = self._read(env.unwrapped, flat, action, info)
        state |= {"action": action, "episode_time": self._steps * self._dt_s}
        return {name: np.array(value, dtype=np.float32) for name, value in state.items()}


def action_entries(space: gymnasium.Space[Any], action: Any) -> Any:
    """Return an action as rewards read it: entries in [-1, 1], or 1 for each option that is taken.

    Args:
        space: The environment's action space.
        action: An action of that space, or None before the first step.

    Returns:
        `(action_size,)` float32; zeros for None.
    """
    if isinstance(space, gymnasium.spaces.Box):
        if action is None:
            return np.zeros(space.low.size, dtype=np.float32)
        low, high = space.low.ravel(), space.high.ravel()
        scaled = 2.0 * (np.ravel(action) - low) / (high - low) - 1.0
        return np.clip(scaled, -1.0, 1.0).astype(np.float32)
    counts, taken = _choices(space, action)
    entries = np.zeros(sum(counts), dtype=np.float32)
    if action is not None:
        entries[np.cumsum([0, *counts[:-1]]) + taken] = 1.0
    return entries


def _choices(space: gymnasium.Space[Any], action: Any) -> tuple[list[int], Any]:
    """Return the number of options of each choice, and which ones an action takes."""
    if isinstance(space, gymnasium.spaces.Discrete):
        return [int(space.n)], (0 if action is None else np.ravel(action) - space.start)
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        taken = 0 if action is None else np.ravel(action) - np.ravel(space.start)
        return [int(one) for one in space.nvec.ravel()], taken
    if isinstance(space, gymnasium.spaces.MultiBinary):
        counts = [2] * int(np.prod(space.shape))
        return counts, (0 if action is None else np.ravel(action).astype(int))
    raise TypeError(f"the reward cannot read actions of the space {space}")


class RewardWrapper(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Pays another reward than the environment's own.

    `info["own_reward"]` is the environment's own reward, `info["reward_components"]` holds the
    reward's components. Wrap the environment itself: wrappers that change observations or actions
    go around this one.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], pay: Pay, read: Read, dt_s: float) -> None:
        """See `Pay`, `Read` and `StateReader`."""
        super().__init__(env)
        self._pay = pay
        self._reader = StateReader(read, env.observation_space, env.action_space, dt_s)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env.reset`."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._reader.reset(self.env, observation, info)
        return observation, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        observation, own_reward, terminated, truncated, info = self.env.step(action)
        state = self._reader.step(self.env, observation, action, info)
        reward, components = self._pay({name: value[None] for name, value in state.items()})
        paid = {name: float(values[0]) for name, values in components.items()}
        info = {**info, "own_reward": own_reward, "reward_components": paid}
        return observation, float(reward[0]), terminated, truncated, info

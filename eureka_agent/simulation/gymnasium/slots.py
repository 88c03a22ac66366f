"""Some copies of one environment that are stepped in sequence. Torch is not needed.

They run in this process or in a worker process. All arrays have one row for each environment of the
whole batch; the slots write to the rows that are theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import gymnasium
import numpy as np
from gymnasium.spaces import Box, flatten
from numpy.typing import NDArray

from eureka_agent.simulation.gymnasium.actions import actions_for
from eureka_agent.simulation.gymnasium.arrays import Arrays
from eureka_agent.simulation.gymnasium.making import make, start_episode
from eureka_agent.simulation.gymnasium.model_reading import mujoco_of, read_quantity
from eureka_agent.simulation.gymnasium.recipe import Recipe

Row: TypeAlias = NDArray[np.float32]


class Reader:
    """Writes what an environment shows to a row; see `Recipe`."""

    def __init__(self, recipe: Recipe, env: gymnasium.Env[Any, Any]) -> None:
        self._recipe = recipe
        self._space = env.observation_space
        self._is_box = isinstance(self._space, Box)
        self._mujoco = mujoco_of(env) if recipe.quantities else None

    def read(self, observation: Any, info: dict[str, Any], row: Row) -> None:
        """Write a row. Entries that `info` lacks are NaN."""
        recipe = self._recipe
        size = recipe.observation_size
        flat = observation if self._is_box else flatten(self._space, observation)
        row[:size] = np.asarray(flat).reshape(-1)
        for entry in recipe.info:
            row[size : size + entry.size] = info.get(entry.key, np.nan)
            size += entry.size
        if self._mujoco is not None:
            model, data = self._mujoco
            for quantity in recipe.quantities:
                row[size : size + quantity.size] = read_quantity(quantity, model, data)
                size += quantity.size


class Slots:
    """Copies of one environment, each with its row."""

    def __init__(self, recipe: Recipe, rows: Sequence[int], arrays: Arrays) -> None:
        """Make the environments of `rows`. Raises UsageError or TaskError if that fails."""
        self._rows = list(rows)
        self._arrays = arrays
        self._envs = {row: make(recipe.name, recipe.kwargs) for row in self._rows}
        self._readers = {row: Reader(recipe, env) for row, env in self._envs.items()}
        first = self._envs[self._rows[0]]
        self._space = first.action_space
        steps_on = mujoco_of(first) is not None
        self._ends = _ignoring(steps_on) if recipe.ignores_ends else _as_they_are
        self._must_be_finite = np.ones(recipe.size, dtype=np.bool_)
        info = slice(recipe.observation_size, recipe.observation_size + recipe.info_size)
        self._must_be_finite[info] = False

    def step(self) -> None:
        """Step every active environment once, and reset those whose episode ended."""
        arrays = self._arrays
        self._drop_inactive()
        if not self._rows:
            return
        rewards: list[float] = []
        ends: list[tuple[bool, bool]] = []
        actions = actions_for(self._space, arrays.action[self._rows])
        for row, action in zip(self._rows, actions, strict=True):
            observation, reward, terminated, truncated, info = self._envs[row].step(action)
            self._readers[row].read(observation, info, arrays.now[row])
            rewards.append(float(reward))
            ends.append(self._ends(bool(terminated), bool(truncated)))
        self._conclude(np.array(rewards), np.array(ends))

    def reset(self) -> None:
        """Start a new episode in every active environment."""
        self._drop_inactive()
        for row in self._rows:
            self._start(row)

    def close(self) -> None:
        """Close all environments."""
        for env in self._envs.values():
            env.close()
        self._envs.clear()

    def _conclude(self, rewards: NDArray[np.float64], ends: NDArray[np.bool_]) -> None:
        """Write how the step ended, and start episodes."""
        arrays, rows = self._arrays, self._rows
        finite = np.isfinite(arrays.now[rows]) | ~self._must_be_finite
        bad = ~(finite.all(axis=1) & np.isfinite(rewards))
        terminated = ends[:, 0] | bad
        arrays.reward[rows] = np.where(bad, 0.0, rewards)
        arrays.bad[rows] = bad
        arrays.terminated[rows] = terminated
        arrays.truncated[rows] = ends[:, 1] & ~terminated
        for index in (terminated | ends[:, 1]).nonzero()[0]:
            self._start(rows[index])

    def _start(self, row: int) -> None:
        observation, info = start_episode(self._envs[row], int(self._arrays.seed[row]))
        self._readers[row].read(observation, info, self._arrays.start[row])

    def _drop_inactive(self) -> None:
        for row in [row for row in self._rows if not self._arrays.active[row]]:
            self._rows.remove(row)
            self._envs.pop(row).close()


def _as_they_are(terminated: bool, truncated: bool) -> tuple[bool, bool]:
    return terminated, truncated


def _ignoring(steps_on: bool) -> Callable[[bool, bool], tuple[bool, bool]]:
    """Return how ends are read where episodes do not terminate; see `Recipe.ignores_ends`."""

    def ends(terminated: bool, truncated: bool) -> tuple[bool, bool]:
        return False, truncated or (terminated and not steps_on)

    return ends

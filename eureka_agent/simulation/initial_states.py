"""Initial states of the environments' next episodes, drawn for many environments at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.simulation.physics import InitialState
from eureka_agent.simulation.random_streams import EnvironmentRandom

if TYPE_CHECKING:
    from eureka_agent.simulation.mujoco_task import MujocoTask


class InitialStates:
    """The initial state of each environment's next episode.

    Environments with the same number in `stream` draw the same states. Some episode ends at nearly
    every step, and drawing one state costs as much as drawing hundreds. So when one is missing, all
    environments that have used theirs get their next one. When a state is drawn does not change it
    (see `EnvironmentRandom`).
    """

    def __init__(
        self, task: MujocoTask, seed: int, stream: NDArray[np.int64], episode: NDArray[np.int64]
    ) -> None:
        """`stream`, `episode`: `(n,)`, the random stream and the number of past episodes of each
        environment.
        """
        self._task = task
        self._seed = seed
        self.stream = stream
        self.episode = episode
        self._drawn = np.full(len(stream), -1, dtype=np.int64)
        self._next: InitialState | None = None

    def take(self, envs: NDArray[np.int64]) -> InitialState:
        """Return the next initial states of `envs (n,)`, which start an episode with them."""
        if self._next is None or (self._drawn[envs] != self.episode[envs]).any():
            self._next = self._draw(self._next)
        self.episode[envs] += 1
        ids = torch.from_numpy(envs)
        known = self._next
        ctrl = None if known.ctrl is None else known.ctrl[ids]
        return InitialState(
            known.qpos[ids],
            known.qvel[ids],
            ctrl,
            {k: value[ids] for k, value in known.episode_state.items()},
        )

    def keep(self, envs: NDArray[np.int64]) -> InitialStates:
        """Return the initial states of `envs (n,)` only."""
        return InitialStates(self._task, self._seed, self.stream[envs], self.episode[envs])

    def restarted(self, envs: NDArray[np.int64], streams: NDArray[np.int64]) -> InitialStates:
        """Return a copy in which `envs (n,)` have had no episode and draw from `streams (n,)`."""
        stream = self.stream.copy()
        episode = self.episode.copy()
        stream[envs] = streams
        episode[envs] = 0
        return InitialStates(self._task, self._seed, stream, episode)

    def _draw(self, known: InitialState | None) -> InitialState:
        """Draw the next state of every environment that has used its own."""
        envs = np.flatnonzero(self._drawn != self.episode)
        drawn = self._task.initial_state(
            EnvironmentRandom(self._seed, self.stream[envs], self.episode[envs])
        )
        self._drawn[envs] = self.episode[envs]
        if known is None:
            return drawn
        ids = torch.from_numpy(envs)

        def put(old: Tensor, new: Tensor) -> Tensor:
            return old.index_copy(0, ids, new)

        ctrl = None if known.ctrl is None or drawn.ctrl is None else put(known.ctrl, drawn.ctrl)
        episode_state = {
            name: put(value, drawn.episode_state[name])
            for name, value in known.episode_state.items()
        }
        return InitialState(
            put(known.qpos, drawn.qpos), put(known.qvel, drawn.qvel), ctrl, episode_state
        )

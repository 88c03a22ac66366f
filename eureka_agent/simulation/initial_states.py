"""Where every world's next episode starts, drawn for many worlds at once."""

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
    """The start of each world's next episode; worlds with the same number in `stream` draw alike.

    At nearly every step some episode ends, and drawing one start costs as much as drawing hundreds.
    So when a start is asked for that is not there, all worlds that have used theirs get their next.
    What is drawn is the same whenever it is drawn (see `EnvironmentRandom`).
    """

    def __init__(
        self, task: MujocoTask, seed: int, stream: NDArray[np.int64], episode: NDArray[np.int64]
    ) -> None:
        """`stream`, `episode`: `(n,)`, each world's random stream and how many episodes it has
        begun."""
        self._task, self._seed = task, seed
        self.stream, self.episode = stream, episode
        self._drawn = np.full(len(stream), -1, dtype=np.int64)
        self._next: InitialState | None = None

    def take(self, worlds: NDArray[np.int64]) -> InitialState:
        """Return the starts of `worlds (n,)`, each of which begins an episode with it."""
        if self._next is None or (self._drawn[worlds] != self.episode[worlds]).any():
            self._next = self._draw(self._next)
        self.episode[worlds] += 1
        ids = torch.from_numpy(worlds)
        known = self._next
        ctrl = None if known.ctrl is None else known.ctrl[ids]
        return InitialState(
            known.qpos[ids],
            known.qvel[ids],
            ctrl,
            {k: value[ids] for k, value in known.episode_state.items()},
        )

    def keep(self, worlds: NDArray[np.int64]) -> InitialStates:
        """Return the starts of `worlds (n,)` only."""
        return InitialStates(self._task, self._seed, self.stream[worlds], self.episode[worlds])

    def restarted(self, worlds: NDArray[np.int64], streams: NDArray[np.int64]) -> InitialStates:
        """Return starts in which `worlds (n,)` have begun no episode and draw like `streams
        (n,)`."""
        stream, episode = self.stream.copy(), self.episode.copy()
        stream[worlds], episode[worlds] = streams, 0
        return InitialStates(self._task, self._seed, stream, episode)

    def _draw(self, known: InitialState | None) -> InitialState:
        worlds = np.flatnonzero(self._drawn != self.episode)
        start = self._task.initial_state(
            EnvironmentRandom(self._seed, self.stream[worlds], self.episode[worlds])
        )
        self._drawn[worlds] = self.episode[worlds]
        if known is None:
            return start
        ids = torch.from_numpy(worlds)

        def put(old: Tensor, new: Tensor) -> Tensor:
            return old.index_copy(0, ids, new)

        ctrl = None if known.ctrl is None or start.ctrl is None else put(known.ctrl, start.ctrl)
        episode_state = {
            name: put(value, start.episode_state[name])
            for name, value in known.episode_state.items()
        }
        return InitialState(
            put(known.qpos, start.qpos), put(known.qvel, start.qvel), ctrl, episode_state
        )

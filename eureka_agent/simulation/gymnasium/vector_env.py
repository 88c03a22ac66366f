"""Environments of Gymnasium as one batch, in this process or in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.errors import EurekaError, SimulationError, TaskError
from eureka_agent.simulation.batched_env import Episodes, Step
from eureka_agent.simulation.gymnasium.making import reason_of
from eureka_agent.simulation.gymnasium.recipe import Recipe
from eureka_agent.simulation.gymnasium.slots import Arrays, Slots
from eureka_agent.simulation.gymnasium.worker_pool import WorkerPool
from eureka_agent.simulation.random_streams import EnvironmentRandom
from eureka_agent.tasks.task import State

if TYPE_CHECKING:
    from eureka_agent.simulation.gymnasium.task import GymnasiumTask

_SEEDS = 2**31


class _Runner(Protocol):
    """What steps the environments: slots in this process, or worker processes."""

    def step(self) -> None: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...


class GymnasiumEnv:
    """`num_envs` environments of `task`; implements `BatchedEnv` and `SupportsKeep`.

    The seed of an episode depends on the seed, the environment's stream and the number of the
    episode alone (`Task.make_env` explains the arguments).
    """

    device = torch.device("cpu")

    def __init__(
        self,
        task: GymnasiumTask,
        num_envs: int,
        *,
        seed: int,
        streams: int | None = None,
        workers: int = 0,
        reads: Iterable[str] | None = None,
    ) -> None:
        """`workers`: how many processes step the environments; 0: this process does."""
        self.task = task
        self._recipe, self._fields = task.recipe(reads)
        self._runner, self._arrays = _runner(self._recipe, num_envs, task.action_size, workers)
        self._rows = np.arange(num_envs)
        self._seed = seed
        self._stream = np.arange(num_envs, dtype=np.int64) % (streams or num_envs)
        self._episode = np.zeros(num_envs, dtype=np.int64)
        self.observation_size = self._recipe.observation_size
        self.state: State = {}
        """What rewards read now, after any reset; the next step's `prev_<name>`."""
        self.critic_observation = torch.empty(0, 0)
        """`(num_envs, observation_size)`: what policy and value function see."""
        self._draw_seeds(self._rows)
        self.reset()

    @property
    def num_envs(self) -> int:
        """Number of environments."""
        return len(self._rows)

    def reset(self) -> Tensor:
        """See `BatchedEnv.reset`."""
        self._run(self._runner.reset)
        num_envs = self.num_envs
        self._length = torch.zeros(num_envs)
        self._total = torch.zeros(num_envs)
        self._remembered = torch.zeros(num_envs)
        self._draw_seeds(self._rows)
        started = _copy(self._arrays.start, self._rows)
        self._check_start(started)
        action = torch.zeros(num_envs, self.task.action_size)
        self.state = self._state(started, action, self._length)
        self.critic_observation = self._observation(started)
        return self.critic_observation

    def step(self, action: Tensor) -> Step:
        """See `BatchedEnv.step`."""
        arrays, rows, task = self._arrays, self._rows, self.task
        action = task.taken(action)
        arrays.action[rows] = action.numpy()
        self._run(self._runner.step)
        first = self._length == 0.0
        self._length = self._length + 1.0
        now = _copy(arrays.now, rows)
        bad = _copy(arrays.bad, rows)
        own = _copy(arrays.reward, rows)
        now = torch.where(bad[:, None], torch.nan_to_num(now, 0.0, 0.0, 0.0), now)
        state = self._state(now, action, self._length * task.dt)
        value = task.rule.value(own, self._info(now), state)
        fitness, self._remembered = task.rule.added(value, self._remembered, first)
        fitness = torch.where(bad, 0.0, fitness)
        self._total = self._total + fitness
        terminated, truncated = _copy(arrays.terminated, rows), _copy(arrays.truncated, rows)
        done = (terminated | truncated).nonzero()[:, 0]
        finished = Episodes(done, self._total[done], self._length[done], {})
        final = self._observation(now)
        self.state, self.critic_observation = state, final
        if len(done):
            self._start_again(done)
        return Step(
            observation=self.critic_observation,
            final_observation=final,
            final_critic_observation=final,
            state=state,
            terminated=terminated,
            truncated=truncated,
            fitness=fitness,
            sparse_reward=fitness,
            bad=bad,
            finished=finished,
            own_reward=own,
        )

    def keep(self, ids: Tensor) -> None:
        """See `SupportsKeep.keep`; no environment may occur twice in `ids`."""
        kept = ids.numpy()
        self._rows = self._rows[kept]
        self._arrays.active[:] = False
        self._arrays.active[self._rows] = True
        self._stream, self._episode = self._stream[kept], self._episode[kept]
        self._length, self._total = self._length[ids], self._total[ids]
        self._remembered = self._remembered[ids]
        self.critic_observation = self.critic_observation[ids]
        self.state = {name: value[ids] for name, value in self.state.items()}

    def close(self) -> None:
        """Close all environments and end their processes; that happens without this call, too."""
        self._runner.close()

    def _run(self, run: Callable[[], None]) -> None:
        """Call `run`. Raises TaskError if the environment fails."""
        try:
            run()
        except EurekaError:
            raise
        except Exception as error:
            raise TaskError(
                f"The environment {self._recipe.name} failed: {reason_of(error)}."
            ) from error

    def _start_again(self, done: Tensor) -> None:
        """Take over the first states of the new episodes in the environments `done`."""
        started = _copy(self._arrays.start, self._rows[done.numpy()])
        self._check_start(started)
        zeros = torch.zeros(len(done))
        action = torch.zeros(len(done), self.task.action_size)
        state = self._state(started, action, zeros)
        self.state = {
            name: value.index_copy(0, done, state[name]) for name, value in self.state.items()
        }
        self.critic_observation = self.critic_observation.index_copy(
            0, done, self._observation(started)
        )
        self._length = self._length.index_fill(0, done, 0.0)
        self._total = self._total.index_fill(0, done, 0.0)
        self._draw_seeds(self._rows[done.numpy()], done.numpy())

    def _check_start(self, started: Tensor) -> None:
        if not torch.isfinite(self._observation(started)).all():
            raise SimulationError(
                f"The environment {self._recipe.name} starts with observations that are not finite."
            )

    def _draw_seeds(self, rows: NDArray[np.int64], ids: NDArray[np.int64] | None = None) -> None:
        """Write the seeds of the next episodes in `rows`, the environments `ids` (all)."""
        here = slice(None) if ids is None else ids
        random = EnvironmentRandom(self._seed, self._stream[here], self._episode[here])
        self._arrays.seed[rows] = random.integers(_SEEDS).numpy()
        self._episode[here] += 1

    def _observation(self, rows: Tensor) -> Tensor:
        return rows[:, : self.observation_size]

    def _info(self, rows: Tensor) -> dict[str, Tensor]:
        """Return the numbers of `info`, `(num_envs,)` each, NaN where a step had none."""
        info: dict[str, Tensor] = {}
        start = self.observation_size
        for entry in self._recipe.info:
            if entry.size == 1:
                info[entry.key] = rows[:, start]
            start += entry.size
        return info

    def _state(self, rows: Tensor, action: Tensor, time: Tensor) -> dict[str, Tensor]:
        state: dict[str, Tensor] = {}
        for name, (start, size, shape) in self._fields.items():
            values = rows[:, start : start + size]
            if start >= self.observation_size:  # an entry that a step's info lacks is 0
                values = values.nan_to_num(0.0)
            state[name] = values.reshape(len(rows), *shape)
        state["action"], state["episode_time"] = action, time
        return state


def _runner(
    recipe: Recipe, num_envs: int, action_size: int, workers: int
) -> tuple[_Runner, Arrays]:
    if workers:
        pool = WorkerPool(recipe, num_envs, action_size, workers)
        return pool, pool.arrays
    layout = Arrays.layout(num_envs, action_size, recipe.size)
    arrays = Arrays.over(bytearray(Arrays.bytes_of(layout)), layout)
    arrays.active[:] = True
    return Slots(recipe, range(num_envs), arrays), arrays


def _copy(array: NDArray[np.generic], rows: NDArray[np.int64]) -> Tensor:
    """Return rows of an array that the next step changes."""
    return torch.from_numpy(array[rows])

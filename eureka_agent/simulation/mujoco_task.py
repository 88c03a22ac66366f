"""A task whose scene is a MuJoCo model: scene, initial states, control, state and fitness.

It is written in batched torch and never loops over environments, so the same code serves every
physics engine. It holds no state of its own: what an episode must remember is in `EpisodeState`, a
dictionary of tensors with one row an environment.

Order of one environment step::

    ctrl  = task.control(action, episode_state)              # actions to actuators
    physics steps `frame_skip` times
    episode_state = task.update_episode_state(physics, episode_state)
    state = task.state(physics, episode_state)               # what rewards and policies may read
    task.unlisted_state(name, physics, episode_state, state) # for each unlisted name that is read
    task.terminated(state, episode_state) if task.ends_early
    task.fitness(state, episode_state), task.observation(state, episode_state)
    task.privileged(state, episode_state)                    # what only the value function sees
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import mujoco
import torch
from torch import Tensor

from eureka_agent.simulation.factory import make_engine
from eureka_agent.simulation.mujoco_environment import MujocoEnvironment
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.task import State, Task


class MujocoTask(Task):
    """A task on a MuJoCo scene. Subclass it in `envs/<name>/task.py`, or in a file of your own."""

    frame_skip: int
    """Physics steps per environment step."""

    # ------------------------------------------------------------------ the scene
    @abstractmethod
    def build(self) -> mujoco.MjSpec:
        """Return the scene. Sensors it adds are what `Physics.sensor` reads."""

    @cached_property
    def model(self) -> mujoco.MjModel:
        """The compiled scene."""
        return self.build().compile()

    @cached_property
    def dt(self) -> float:
        """Seconds per environment step."""
        return float(self.model.opt.timestep) * self.frame_skip

    def make_env(
        self,
        num_envs: int,
        *,
        seed: int,
        streams: int | None = None,
        device: str = "cpu",
        threads: int | None = None,
        reads: Iterable[str] | None = None,
    ) -> MujocoEnvironment:
        """See `Task.make_env`. MuJoCo C simulates on `cpu`, MuJoCo Warp on `cuda`."""
        engine = make_engine(self.model, num_envs, device=device, threads=threads)
        return MujocoEnvironment(
            self, num_envs, seed=seed, streams=streams, engine=engine, reads=reads
        )

    @property
    def policy_code(self) -> Mapping[str, Callable[..., object]]:
        """See `Task.policy_code`."""
        kind = type(self)
        own = {} if kind.control is MujocoTask.control else {"control": kind.control}
        ends = {"terminated": kind.terminated} if self.ends_early else {}
        return {**own, "observation": kind.observation, **ends}

    # ------------------------------------------------------------------ an episode
    @abstractmethod
    def initial_state(self, random: Random) -> InitialState:
        """Draw start states for `random.n` worlds, from `random` alone: they may be drawn long
        before they are used."""

    def control(self, action: Tensor, episode_state: EpisodeState) -> Tensor:
        """Turn actions `(num_envs, action_size)` in [-1, 1] into controls `(num_envs, nu)`; here:
        the full range."""
        low, high = self._control_range
        low, high = low.to(action.device), high.to(action.device)
        return low + (action + 1.0) * 0.5 * (high - low)

    @cached_property
    def _control_range(self) -> tuple[Tensor, Tensor]:
        low, high = torch.as_tensor(self.model.actuator_ctrlrange.T, dtype=torch.float32)
        return low, high

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """Return the memory after a step; here: unchanged."""
        return episode_state

    @abstractmethod
    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """Return every listed variable of `state_spec`; the environment adds `action` and
        `episode_time`."""

    def unlisted_state(
        self, name: str, physics: Physics, episode_state: EpisodeState, state: State
    ) -> Tensor:
        """Return the variable `name` of `state_spec.unlisted`, `(num_envs, *shape)`.

        `state` holds the listed ones. Raises NotImplementedError where a task does not override it.
        """
        task = type(self).__name__
        raise NotImplementedError(f"{task} promises {name!r} and has no unlisted_state()")

    @abstractmethod
    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """Return `(num_envs, observation_size)`: what the policy sees."""

    def privileged(self, state: State, episode_state: EpisodeState) -> Tensor | None:
        """Return `(num_envs, privileged_size)` float32: what only the value function sees; here
        None, nothing.

        It sees the observation besides: an asymmetric critic (Pinto et al. 2018,
        https://arxiv.org/abs/1710.06542). Trained policies do not have it. The size is the same in
        every step; what no reward may read comes from `episode_state`.
        """
        return None

    @abstractmethod
    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """Return `(num_envs,)` bool: the episode ended by failure or success (not by time)."""

    # ------------------------------------------------------------------ success
    @abstractmethod
    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """Return `(num_envs,)`: what this step adds to the episode's fitness (its sum; higher is
        better).

        Its code is never shown to a proposer.
        """

    def measures(self, state: State, episode_state: EpisodeState) -> dict[str, Tensor]:
        """Return further numbers to report, `(num_envs,)` each, summed over the episode like
        fitness."""
        return {}

    def sparse_reward(self, state: State, episode_state: EpisodeState) -> Tensor:
        """Return the reward `(num_envs,)` that states only the goal; here the step's fitness, as in
        Eureka (app. A)."""
        return self.fitness(state, episode_state)

"""A task whose scene is a MuJoCo model: scene, initial states, control, state and fitness.

It is written in batched torch and never loops over environments, so the same code works on every
physics engine. A task object does not change: what an episode has to remember is in `EpisodeState`,
a dictionary of tensors with one row per environment.

An episode starts with `initial_state` and `first_episode_state`. Order of one environment step::

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
from eureka_agent.simulation.scene import scene_pack
from eureka_agent.tasks.task import State, Task


class MujocoTask(Task):
    """A task on a MuJoCo scene; subclass it in a `task.py` whose `TASK` is an instance.

    Set the attributes of `Task` and `frame_skip`, and write `build`, `initial_state`, `state`,
    `observation`, `terminated` and `fitness`. The other methods have defaults. Tensors have one row
    per environment and are float32 unless said otherwise.
    """

    frame_skip: int
    """Physics steps per environment step."""
    data_fields: tuple[str, ...] = ()
    """Fields of MuJoCo's `MjData` that the task reads with `Physics.data`, such as `xpos`.

    They describe the last physics step, as they do after `mj_step`, and so do all sensors of a task
    that has such fields: they lag by one physics step. In an episode's first state they are
    current. `cfrc_ext` is 0 there; MuJoCo computes it on request, at a cost of some 20 µs per
    environment with contacts. Only the CPU's engine has them."""

    # ------------------------------------------------------------------ the scene
    @abstractmethod
    def build(self) -> mujoco.MjSpec:
        """Build the scene.

        Returns:
            The scene, not compiled yet. `Physics.sensor` reads the sensors that it has.
        """

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
        engine = make_engine(
            self.model, num_envs, device=device, threads=threads, data_fields=self.data_fields
        )
        return MujocoEnvironment(
            self, num_envs, seed=seed, streams=streams, engine=engine, reads=reads
        )

    def scene(self) -> bytes:
        """See `Task.scene`."""
        return scene_pack(self.model)

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
        """Draw the first states of episodes; they may be drawn long before they are used.

        Args:
            random: The only source of random numbers, for `random.n` environments.

        Returns:
            `random.n` initial states, with everything that the episode state holds.
        """

    def control(self, action: Tensor, episode_state: EpisodeState) -> Tensor:
        """Turn actions into actuator controls. By default [-1, 1] is each actuator's full range.

        Args:
            action: `(num_envs, action_size)`, each entry in [-1, 1].
            episode_state: What the episodes remember.

        Returns:
            `(num_envs, nu)`.
        """
        low, high = self._control_range
        low, high = low.to(action.device), high.to(action.device)
        return low + (action + 1.0) * 0.5 * (high - low)

    @cached_property
    def _control_range(self) -> tuple[Tensor, Tensor]:
        low, high = torch.as_tensor(self.model.actuator_ctrlrange.T, dtype=torch.float32)
        return low, high

    def first_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """Return what episodes remember in their first state. By default what they started with.

        Args:
            physics: The physics in the first state.
            episode_state: That of `initial_state`.

        Returns:
            Tensors with the same names.
        """
        return episode_state

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """Return what the episodes remember after a step. By default nothing changes.

        Args:
            physics: The physics after the step.
            episode_state: What the episodes remembered before it, with the new `action`.

        Returns:
            Tensors with the same names as in `initial_state`.
        """
        return episode_state

    @abstractmethod
    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """Return what rewards read; the environment adds `action` and `episode_time`.

        Args:
            physics: The physics now.
            episode_state: What the episodes remember.

        Returns:
            Every listed variable of `state_spec`, `(num_envs, *shape)` each, by name.
        """

    def unlisted_state(
        self, name: str, physics: Physics, episode_state: EpisodeState, state: State
    ) -> Tensor:
        """Return an unlisted variable. Called only for those that a reward reads.

        Args:
            name: One of `state_spec.unlisted`.
            physics: The physics now.
            episode_state: What the episodes remember.
            state: The listed variables, `action` and `episode_time`.

        Returns:
            `(num_envs, *shape)`.

        Raises:
            NotImplementedError: The task does not override this method.
        """
        task = type(self).__name__
        raise NotImplementedError(f"{task} lists {name!r} as unlisted but has no unlisted_state()")

    @abstractmethod
    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """Return what the policy sees. The trainer normalises it.

        Args:
            state: What rewards read, with `action` and `episode_time`.
            episode_state: What the episodes remember.

        Returns:
            `(num_envs, observation_size)`.
        """

    def privileged(self, state: State, episode_state: EpisodeState) -> Tensor | None:
        """Return what only the value function sees, in addition to the observation.

        This makes an asymmetric critic (Pinto et al. 2018, https://arxiv.org/abs/1710.06542);
        trained policies do not need it. What no reward may read comes from `episode_state`.

        Args:
            state: What rewards read, with `action` and `episode_time`.
            episode_state: What the episodes remember.

        Returns:
            `(num_envs, privileged_size)` float32, the same size in every step; by default None.
        """
        return None

    @abstractmethod
    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """Return which episodes end by failure or success. The time limit is not its concern.

        Args:
            state: What rewards read, with `action` and `episode_time`.
            episode_state: What the episodes remember.

        Returns:
            `(num_envs,)` bool.
        """

    # ------------------------------------------------------------------ success
    @abstractmethod
    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """Return what this step adds to the episode's fitness; higher is better.

        Its code is never shown to a proposer.

        Args:
            state: What rewards read, with `action` and `episode_time`.
            episode_state: What the episodes remember.

        Returns:
            `(num_envs,)`; an episode's fitness is the sum over its steps.
        """

    def measures(self, state: State, episode_state: EpisodeState) -> dict[str, Tensor]:
        """Return further numbers to report. By default there are none.

        Args:
            state: What rewards read, with `action` and `episode_time`.
            episode_state: What the episodes remember.

        Returns:
            `(num_envs,)` each, by name; summed over the episode like the fitness.
        """
        return {}

    def sparse_reward(self, state: State, episode_state: EpisodeState) -> Tensor:
        """Return the reward that states only the goal: the step's fitness, as in Eureka (app. A).

        Args:
            state: What rewards read, with `action` and `episode_time`.
            episode_state: What the episodes remember.

        Returns:
            `(num_envs,)`.
        """
        return self.fitness(state, episode_state)

    def own_reward(self, state: State, episode_state: EpisodeState) -> Tensor | None:
        """Return the reward that the environment itself pays (`has_own_reward`), or None.

        Args:
            state: What rewards read, with `action` and `episode_time`.
            episode_state: What the episodes remember.

        Returns:
            `(num_envs,)`.
        """
        return None

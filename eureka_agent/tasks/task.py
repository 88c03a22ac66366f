"""What a task is: a scene, how episodes start and end, what a reward may read, and its own measure
of success.

A task is written in batched torch and never loops over worlds, so the same code serves every
physics engine. It holds no state of its own: what an episode must remember lives in `EpisodeState`,
a dictionary of tensors with one row a world. `envs/<name>/task.py` holds one task each; its
docstring is a datasheet.

Order of one environment step::

    ctrl   = task.control(action, memory)            # actions to actuators
    physics steps `frame_skip` times
    memory = task.update_episode_state(physics, memory)          # what the episode has to keep
    state  = task.state(physics, memory)             # what rewards and policies may read
    task.unlisted_state(name, physics, memory, state)  # for each unlisted name that a reward reads
    task.terminated(state, memory) if task.ends_early
    task.fitness(state, memory), task.observation(state, memory)
    task.privileged(state, memory)                   # what only the value function sees
"""

from __future__ import annotations

import copy
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import mujoco
import torch
from torch import Tensor

from eureka_agent.errors import UsageError

State: TypeAlias = Mapping[str, Tensor]
EpisodeState: TypeAlias = Mapping[str, Tensor]

QuantityKind = Literal[
    "position",  # (3,) m in `frame`
    "linear_velocity",  # (3,) m/s
    "angular_velocity",  # (3,) rad/s
    "quaternion_wxyz",
    "quaternion_xyzw",
    "unit_vector",  # (3,)
    "joint_positions",  # (n,) rad or m
    "joint_velocities",  # (n,)
    "angle",  # () rad
    "distance",  # () m
    "speed",  # () m/s or rad/s
    "force",  # any shape, N or N m
    "flag",  # () 0 or 1
    "action",  # (n,) in [-1, 1]
    "other",
]


@dataclass(frozen=True)
class StateVariable:
    """One tensor that a reward function may read."""

    name: str
    shape: tuple[int, ...]
    """Without the batch dimension; `()` is one number a world."""
    unit: str
    frame: str
    """The frame it is expressed in (`world`, `torso`, …), or `-`."""
    meaning: str
    kind: QuantityKind = "other"
    goal_for: str | None = None
    """The variable that this one is the target value of."""
    elements: tuple[str, ...] = ()
    """What each entry of the last dimension is, where that is not obvious."""


@dataclass(frozen=True)
class StateSpec:
    """Tensors `(num_envs, *shape)` and float constants that a reward function may read.

    Besides each variable it may read `prev_<name>`, the value before the environment step (the
    start state in an episode's first step). A task lists its own variables; `Task.reward_inputs`
    adds `action`, `episode_time` and `obs_buf`.
    """

    variables: tuple[StateVariable, ...]
    constants: Mapping[str, float] = field(default_factory=dict)
    unlisted: tuple[StateVariable, ...] = ()
    """More names that published rewards read. They are computed only for a reward that reads them;
    prompts do not list them, and the grammar does not use them."""

    @property
    def tensors(self) -> tuple[StateVariable, ...]:
        """Every variable, listed or not."""
        return (*self.variables, *self.unlisted)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor name that a reward's parameter may have, with its shape without the
        batch."""
        shapes = {variable.name: variable.shape for variable in self.tensors}
        return shapes | {
            f"prev_{name}": shape for name, shape in shapes.items() if f"prev_{name}" not in shapes
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a reward's parameter may have, constants included."""
        return (*self.shapes, *self.constants)

    def __getitem__(self, name: str) -> StateVariable:
        """Return the variable called `name`."""
        return next(variable for variable in self.tensors if variable.name == name)


@dataclass(frozen=True)
class TrainingBudget:
    """How much training one candidate gets, and how its policy is evaluated and shaped."""

    num_envs: int
    """Worlds per candidate."""
    environment_steps: int
    """Environment steps per candidate, over all its worlds."""
    horizon: int = 16
    """Environment steps per world between two policy updates."""
    evaluation_episodes: int = 64
    """Episodes of the final, deterministic evaluation."""
    epochs: int = 5
    minibatches: int = 4
    learning_rate: float = 1e-3
    discount: float = 0.99
    gae_lambda: float = 0.95
    entropy: float = 0.0
    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers of policy and value function."""
    initial_std: float = 1.0
    """Standard deviation of the exploration noise at the start, in units of the action range [-1,
    1]."""

    @property
    def iterations(self) -> int:
        """Number of policy updates: rollouts of `horizon` steps in all worlds that fit into
        `environment_steps`."""
        return max(1, round(self.environment_steps / (self.num_envs * self.horizon)))


@dataclass(frozen=True)
class InitialState:
    """Start states of `n` worlds; what is None keeps the model's default."""

    qpos: Tensor
    """`(n, nq)`"""
    qvel: Tensor
    """`(n, nv)`"""
    ctrl: Tensor | None = None
    """`(n, nu)` actuator controls at the start."""
    episode_state: EpisodeState = field(default_factory=dict)
    """`(n, …)` each: what the episode remembers at its first step."""


class Random(Protocol):
    """Random numbers for `n` worlds; a world's numbers do not depend on which others draw with
    it."""

    n: int

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """`(n, *shape)` in [low, high)."""
        ...

    def normal(self, std: float, *shape: int) -> Tensor:
        """`(n, *shape)` from a normal distribution with mean 0."""
        ...

    def integers(self, high: int) -> Tensor:
        """`(n,)` int64 in [0, high)."""
        ...


class Physics(Protocol):
    """What a task may read of the engine: float32 tensors on one device, current after each
    step."""

    @property
    def num_envs(self) -> int:
        """Number of worlds."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        ...

    @property
    def model(self) -> mujoco.MjModel:
        """The compiled scene."""
        ...

    @property
    def qpos(self) -> Tensor:
        """`(num_envs, nq)`"""
        ...

    @property
    def qvel(self) -> Tensor:
        """`(num_envs, nv)`"""
        ...

    @property
    def ctrl(self) -> Tensor:
        """`(num_envs, nu)`: the controls that were applied last."""
        ...

    def sensor(self, name: str) -> Tensor:
        """`(num_envs, dim)`: a named sensor of the model; position and velocity sensors do not
        lag."""
        ...


class Task(ABC):
    """One environment with its own measure of success. Subclass in `envs/<name>/task.py`."""

    name: str
    description: str
    """One sentence in the words of a user: the wish that the reward has to fulfil."""
    aliases: tuple[str, ...] = ()
    state_spec: StateSpec
    frame_skip: int
    """Physics steps per environment step."""
    max_episode_steps: int
    fitness_unit: str
    """What one episode's fitness counts, e.g. `m/s` or `waypoints`."""
    fitness_solved: float
    """The fitness from which the task counts as solved."""
    budgets: Mapping[Literal["quick", "normal", "paper"], TrainingBudget]
    ends_early: bool = True
    """Whether `terminated` ends episodes; see `without_end`."""
    action_names: tuple[str, ...]
    """One name per action entry, in order."""
    observation_size: int | None = None
    """Number of observation entries. Where it is given, a reward may read the observation as
    `obs_buf`."""

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

    @cached_property
    def episode_length_s(self) -> float:
        """Seconds per full episode."""
        return self.dt * self.max_episode_steps

    @property
    def action_size(self) -> int:
        """Number of action entries, each in [-1, 1]."""
        return len(self.action_names)

    @cached_property
    def reward_inputs(self) -> StateSpec:
        """Everything a reward may read: `state_spec`, the action, the episode's time and the
        observation."""
        action = StateVariable(
            name="action",
            shape=(self.action_size,),
            unit="-",
            frame="-",
            meaning="the last action, each entry in [-1, 1]",
            kind="action",
            elements=self.action_names,
        )
        time = StateVariable("episode_time", (), "s", "-", "time since the start of the episode")
        unlisted = self.state_spec.unlisted
        if self.observation_size is not None:
            seen = "what the policy sees, in this task's own order"
            unlisted += (StateVariable("obs_buf", (self.observation_size,), "-", "-", seen),)
        return StateSpec(
            (*self.state_spec.variables, action, time), self.state_spec.constants, unlisted
        )

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

    def without_end(self) -> Task:
        """Return the same task whose episodes end by the time limit alone, for a wish of its own.

        A backflip leans further than a run forward may.
        """
        task = copy.copy(self)
        task.ends_early = False
        return task

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

    @property
    def human_reward(self) -> str:
        """Source of the reward that people wrote for this task: `human_reward.py` beside the task.

        Raises UsageError when there is none.
        """
        if not self.has_human_reward:
            raise UsageError(
                f"The task {self.name!r} has no human reward: write one to human_reward.py beside"
                " its task.py."
            )
        return self._beside("human_reward.py").read_text(encoding="utf-8")

    @property
    def has_human_reward(self) -> bool:
        """Whether people wrote a reward for this task; without one a run compares with the sparse
        reward alone."""
        own = type(self).human_reward is not Task.human_reward
        return own or self._beside("human_reward.py").is_file()

    # ------------------------------------------------------------------ where it is written
    @property
    def file(self) -> Path | None:
        """The Python file whose `TASK` this object is; None where it is in no file."""
        own = type(self).__module__
        modules = dict(sys.modules).items()
        names = [
            name for name, module in modules if getattr(module, "__dict__", {}).get("TASK") is self
        ]
        # A program that imports TASK has it, too, so the module of the class counts first.
        names.sort(key=lambda name: (name != own, not name.endswith(".task"), name == "__main__"))
        file = getattr(sys.modules[names[0]], "__file__", None) if names else None
        return Path(file).resolve() if file else None

    @property
    def folder(self) -> Path | None:
        """The folder of the file that defines the task; None where there is no file, as in a
        notebook."""
        file = self.file or getattr(sys.modules.get(type(self).__module__), "__file__", None)
        return Path(file).resolve().parent if file else None

    def _beside(self, name: str) -> Path:
        return (self.folder or Path(os.devnull)) / name


TaskLike: TypeAlias = str | os.PathLike[str] | Task
"""A task, or what finds one: a name, an alias, its exact description, or the path of its folder or
file."""

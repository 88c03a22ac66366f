"""What a task is: what the robot should do, what a reward may read, how episodes end, and fitness.

A task says nothing about physics or PPO. Its `make_env` returns environments from any simulator.
`eureka_agent.simulation.MujocoTask` is the base class of tasks on a MuJoCo model; the tasks of the
library are in `envs/<name>/task.py`.
"""

from __future__ import annotations

import copy
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from torch import Tensor

from eureka_agent.errors import UsageError

if TYPE_CHECKING:
    from eureka_agent.simulation.batched_env import BatchedEnv

State: TypeAlias = Mapping[str, Tensor]
"""The tensors that a reward reads, `(num_envs, *shape)` each, by name."""

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
    """Without the batch dimension; `()` is one number per environment."""
    unit: str
    frame: str
    """The frame that it is expressed in (`world`, `torso`, …), or `-`."""
    meaning: str
    kind: QuantityKind = "other"
    goal_for: str | None = None
    """The variable that this one is the target value of."""
    elements: tuple[str, ...] = ()
    """Names of the entries of the last dimension, where they are not obvious."""


@dataclass(frozen=True)
class StateSpec:
    """Tensors `(num_envs, *shape)` and float constants that a reward function may read.

    It may also read `prev_<name>` of each variable: the value before the environment step (the
    initial state in an episode's first step). A task lists its own variables; `Task.reward_inputs`
    adds `action`, `episode_time` and `obs_buf`.
    """

    variables: tuple[StateVariable, ...]
    constants: Mapping[str, float] = field(default_factory=dict)
    unlisted: tuple[StateVariable, ...] = ()
    """More variables, for published rewards.

    They are computed only for a reward that reads them. Prompts do not list them, and the grammar
    does not use them.
    """

    @property
    def tensors(self) -> tuple[StateVariable, ...]:
        """Every variable, listed or not."""
        return (*self.variables, *self.unlisted)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor name that a reward's parameter may have, with its shape per environment."""
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


class Task(ABC):
    """What a robot should do, with its own measure of success.

    For a MuJoCo scene, subclass `MujocoTask`. For another simulator, subclass this class, set the
    attributes below, and write `dt` and `make_env`.
    """

    name: str
    """What `--task` calls it; in `envs/`, the name of its folder."""
    description: str
    """One sentence in a user's words: the instruction that the reward has to fulfil."""
    aliases: tuple[str, ...] = ()
    """Other names, such as the ids of the same task in other libraries."""
    id: str | None = None
    """The id that `find_task` makes the same task from again; None for tasks that are code."""
    state_spec: StateSpec
    """What a reward may read."""
    max_episode_steps: int
    """The time limit of an episode, in environment steps."""
    fitness_unit: str
    """The unit of an episode's fitness, e.g. `m/s` or `waypoints`."""
    fitness_solved: float
    """The fitness from which the task counts as solved; NaN where no such value is known."""
    fitness_meaning: str = ""
    """For models: what an episode's fitness measures and how it is normalised, in one sentence
    without its end mark. Never its code."""
    notes: str = ""
    """For models: physical facts that a reward's author needs, such as sizes, masses and axes."""
    has_own_reward: bool = False
    """Whether the environments pay a reward of their own (`Step.own_reward`). It is then the human
    reward, and its source is not known."""
    ends_early: bool = True
    """Whether episodes may terminate before the time limit; see `without_end`."""
    action_names: tuple[str, ...]
    """One name per action entry, in order."""
    action_choices: tuple[int, ...] = ()
    """For discrete actions: the number of options of each choice. Every option has an entry in
    `action_names`, choice after choice, and an action has 1 for each option that is taken and 0 for
    the others. Environments take the largest entry of each choice. If it is empty, actions are
    continuous."""
    observation_size: int | None = None
    """Number of observation entries. If it is given, a reward may read the observation as
    `obs_buf`."""

    @property
    @abstractmethod
    def dt(self) -> float:
        """Seconds per environment step."""

    @abstractmethod
    def make_env(
        self,
        num_envs: int,
        *,
        seed: int,
        streams: int | None = None,
        device: str = "cpu",
        threads: int | None = None,
        reads: Iterable[str] | None = None,
    ) -> BatchedEnv:
        """Return environments of this task, after their first reset.

        Args:
            num_envs: Number of environments.
            seed: Seed of the initial states; the same seed gives the same episodes.
            streams: Number of distinct random streams, by default `num_envs`. Environment `i` draws
                like environment `i % streams`, so that candidates that train together in slices of
                `streams` environments get the same initial states.
            device: Where the simulation runs, `cpu` or `cuda`.
            threads: Physics threads on the CPU, by default all cores.
            reads: The names that rewards read; the state may leave out the unlisted variables that
                none of them reads. By default it has all.

        Returns:
            The environments, stepped together as one batch.

        Raises:
            UsageError: The device is not supported, or what it needs is not installed.
            SimulationError: The simulator cannot be built.
        """

    @cached_property
    def episode_length_s(self) -> float:
        """Seconds per full episode."""
        return self.dt * self.max_episode_steps

    @property
    def action_size(self) -> int:
        """Number of action entries, each in [-1, 1]; with `action_choices`, of all options."""
        return len(self.action_names)

    @cached_property
    def reward_inputs(self) -> StateSpec:
        """Everything that a reward may read.

        That is `state_spec`, `action`, `episode_time` and, with an `observation_size`, `obs_buf`.
        """
        meaning = "the last action, each entry in [-1, 1]"
        if self.action_choices:
            meaning = "the last action: 1 for each option that was taken, 0 for the others"
        action = StateVariable(
            name="action",
            shape=(self.action_size,),
            unit="-",
            frame="-",
            meaning=meaning,
            kind="action",
            elements=self.action_names,
        )
        time = StateVariable("episode_time", (), "s", "-", "time since the start of the episode")
        unlisted = self.state_spec.unlisted
        if self.observation_size is not None:
            meaning = "what the policy sees, in this task's own order"
            unlisted += (StateVariable("obs_buf", (self.observation_size,), "-", "-", meaning),)
        return StateSpec(
            (*self.state_spec.variables, action, time), self.state_spec.constants, unlisted
        )

    @property
    def policy_code(self) -> Mapping[str, Callable[..., object]]:
        """The functions whose source a proposer is shown, by name: `control`, `observation` and
        `terminated`, as far as the task has them. By default none.
        """
        return {}

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """Name the causes for which episodes terminate, for prompts and reports.

        Args:
            state: What rewards read after a step, with `action` and `episode_time`.

        Returns:
            `(num_envs,)` bool each, by the cause in words (`torso at or below 0.7 m`), the first
            that holds counts. Together they have to hold exactly where the task terminates. By
            default there are none, and a termination is called `terminated`.
        """
        return {}

    # ------------------------------------------------------------------ replays
    def scene(self) -> bytes | None:
        """Return what a replay shows, as a pack (`simulation/scene.py`).

        By default there is nothing to show: episodes are not recorded.
        """
        return None

    def goals(self, state: State) -> Mapping[str, Tensor]:
        """Return the places that a replay marks as goals.

        Args:
            state: What rewards read, `(num_envs, *shape)` each.

        Returns:
            `(num_envs, 3)` each: m in the world, by name. By default the positions in `state_spec`
            that are the target of another.
        """
        return {
            variable.name: state[variable.name]
            for variable in self.state_spec.variables
            if variable.goal_for is not None and variable.kind == "position"
        }

    def without_end(self) -> Self:
        """Return the same task with episodes that end at the time limit alone.

        For a user's own instruction: a backflip leans further than running forward allows.
        """
        task = copy.copy(self)
        task.ends_early = False
        return task

    # ------------------------------------------------------------------ the human reward
    @property
    def human_reward(self) -> str:
        """Source of the reward that people wrote for this task: `human_reward.py` in its folder.

        Raises:
            UsageError: There is none, or its source is not known.
        """
        if self.has_own_reward:
            raise UsageError(
                f"The human reward of {self.name} is the one that the environment itself pays. Its"
                " source is not known: give a file with a reward instead."
            )
        if self.id is not None:
            raise UsageError(
                f"The fitness of {self.name} is what the environment itself pays, so there is no"
                " human reward apart from it: give a file with a reward instead."
            )
        if not self.has_human_source:
            raise UsageError(
                f"The task {self.name!r} has no human reward: write one to human_reward.py next to"
                " its task.py."
            )
        return self._in_folder("human_reward.py").read_text(encoding="utf-8")

    @property
    def has_human_reward(self) -> bool:
        """Whether people wrote a reward for this task. A run without one has no such baseline."""
        return self.has_own_reward or self.has_human_source

    @property
    def has_human_source(self) -> bool:
        """Whether the source of the human reward is known: `human_reward` returns it."""
        if self.has_own_reward or self.id is not None:
            return False
        own = type(self).human_reward is not Task.human_reward
        return own or self._in_folder("human_reward.py").is_file()

    # ------------------------------------------------------------------ where it is written
    @property
    def file(self) -> Path | None:
        """The Python file whose `TASK` this object is, or None."""
        if self.id is not None:
            return None
        own = type(self).__module__
        modules = dict(sys.modules).items()
        names = [
            name for name, module in modules if getattr(module, "__dict__", {}).get("TASK") is self
        ]
        # A program that imports TASK has it as well, so the module of the class comes first.
        names.sort(key=lambda name: (name != own, not name.endswith(".task"), name == "__main__"))
        file = getattr(sys.modules[names[0]], "__file__", None) if names else None
        return Path(file).resolve() if file else None

    @property
    def folder(self) -> Path | None:
        """The folder of the file that defines the task; None without a file, as in a notebook."""
        file = self.file or getattr(sys.modules.get(type(self).__module__), "__file__", None)
        return Path(file).resolve().parent if file else None

    def _in_folder(self, name: str) -> Path:
        return (self.folder or Path(os.devnull)) / name


TaskLike: TypeAlias = str | os.PathLike[str] | Task
"""A task, or its name, an alias, its exact description, or the path of its folder or file."""

"""A wrapper that checks every result of a task: shapes, types, names and finite numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn, TypeVar

import mujoco
import torch
from torch import Tensor

from eureka_agent.errors import TaskError
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.source_lines import broken, place_of
from eureka_agent.tasks.task import State

_Result = TypeVar("_Result")


def check_frame_skip(task: MujocoTask) -> None:
    """Raise TaskError when `frame_skip` is missing or not a count."""
    value = getattr(task, "frame_skip", None)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TaskError(
            f"{place_of(task, 'frame_skip')}: frame_skip must be a whole number of physics steps, 1"
            f" or more, but it is {value!r:.60}."
        )


class ValidatedTask(MujocoTask):
    """A task that calls another one and checks what each method returns.

    A mistake becomes a TaskError at its method instead of an error somewhere in the trainer.
    """

    def __init__(self, task: MujocoTask) -> None:
        self._task = task
        self.name = task.name
        self.state_spec = task.state_spec
        self.action_names = task.action_names
        self.frame_skip = task.frame_skip
        self.data_fields = task.data_fields
        self.max_episode_steps = task.max_episode_steps
        self.observation_size = task.observation_size
        self.model = self._run("build", self._compiled)
        self._check_actions()
        self._episode_state: set[str] = set()
        self._sizes: dict[str, int] = {}

    # ------------------------------------------------------------------ the scene
    def _compiled(self) -> mujoco.MjModel:
        if "model" not in vars(self._task):
            spec = self._task.build()
            if not isinstance(spec, mujoco.MjSpec):
                self._refuse(
                    "build", f"returns {_kind(spec)}", "return a mujoco.MjSpec, e.g. load_xml(path)"
                )
            # This is the cached property `model`: compiling a hand takes half a second.
            vars(self._task)["model"] = spec.compile()
        return self._task.model

    def build(self) -> mujoco.MjSpec:
        """See `MujocoTask.build`."""
        return self._task.build()

    def _check_actions(self) -> None:
        if type(self._task).control is not MujocoTask.control:
            return
        model, names = self.model, self.action_names
        if len(names) != model.nu:
            raise TaskError(
                f"{place_of(self._task, 'action_names')}: action_names has {len(names)} entries"
                f" and the model {model.nu} actuators: name each actuator once, or write control()."
            )
        without_range = [
            name
            for name, (low, high) in zip(names, model.actuator_ctrlrange, strict=True)
            if not low < high
        ]
        if without_range:
            raise TaskError(
                f"{place_of(self._task, 'build')}: the actuators of {', '.join(without_range)} have"
                " no ctrlrange, so every action would be 0: give them one in the model, or write"
                " control()."
            )

    # ------------------------------------------------------------------ an episode
    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        initial = self._run("initial_state", lambda: self._task.initial_state(random))
        if not isinstance(initial, InitialState):
            self._refuse(
                "initial_state",
                f"returns {_kind(initial)}",
                "return eureka_agent.simulation.InitialState(qpos, qvel)",
            )
        n, model = random.n, self.model
        self._tensor("initial_state", "qpos", initial.qpos, (n, model.nq))
        self._tensor("initial_state", "qvel", initial.qvel, (n, model.nv))
        if initial.ctrl is not None:
            self._tensor("initial_state", "ctrl", initial.ctrl, (n, model.nu))
        self._rows("initial_state", initial.episode_state, n)
        self._episode_state = {*initial.episode_state, "action"}
        return initial

    def control(self, action: Tensor, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.control`."""
        control = self._run("control", lambda: self._task.control(action, episode_state))
        return self._tensor("control", "the controls", control, (len(action), self.model.nu))

    def first_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.first_episode_state`."""
        first = self._run(
            "first_episode_state", lambda: self._task.first_episode_state(physics, episode_state)
        )
        self._rows("first_episode_state", first, physics.num_envs)
        self._same_names("first_episode_state", first)
        return first

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.update_episode_state`."""
        updated = self._run(
            "update_episode_state", lambda: self._task.update_episode_state(physics, episode_state)
        )
        self._rows("update_episode_state", updated, physics.num_envs)
        self._same_names("update_episode_state", updated)
        return updated

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `MujocoTask.state`."""
        state = self._run("state", lambda: self._task.state(physics, episode_state))
        if not isinstance(state, dict):
            self._refuse("state", f"returns {_kind(state)}", "return a dictionary of tensors")
        variables = {variable.name: variable for variable in self.state_spec.variables}
        if missing := sorted(variables.keys() - state.keys()):
            self._refuse(
                "state",
                f"returns no {', '.join(missing)}",
                "return it, or remove it from state_spec",
            )
        if more := sorted(state.keys() - variables.keys()):
            self._refuse(
                "state", f"returns {', '.join(more)}", "name it in state_spec, or leave it out"
            )
        for name, variable in variables.items():
            self._tensor("state", repr(name), state[name], (physics.num_envs, *variable.shape))
        return dict(state)

    def unlisted_state(
        self, name: str, physics: Physics, episode_state: EpisodeState, state: State
    ) -> Tensor:
        """See `MujocoTask.unlisted_state`."""
        shapes = {variable.name: variable.shape for variable in self.state_spec.unlisted}
        value = self._run(
            "unlisted_state", lambda: self._task.unlisted_state(name, physics, episode_state, state)
        )
        return self._tensor("unlisted_state", repr(name), value, (physics.num_envs, *shapes[name]))

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        seen = self._run("observation", lambda: self._task.observation(state, episode_state))
        flat = self._flat("observation", seen, state)
        if self.observation_size not in (None, flat.shape[1]):
            raise TaskError(
                f"{place_of(self._task, 'observation_size')}: observation_size is"
                f" {self.observation_size}, but observation() has {flat.shape[1]} entries: make"
                " them equal."
            )
        return flat

    def privileged(self, state: State, episode_state: EpisodeState) -> Tensor | None:
        """See `MujocoTask.privileged`."""
        seen = self._run("privileged", lambda: self._task.privileged(state, episode_state))
        return None if seen is None else self._flat("privileged", seen, state)

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.terminated`."""
        ended = self._run("terminated", lambda: self._task.terminated(state, episode_state))
        return self._tensor("terminated", "the ends", ended, (_rows_of(state),), torch.bool)

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        causes = self._run("end_causes", lambda: self._task.end_causes(state))
        if not isinstance(causes, Mapping):
            self._refuse("end_causes", f"returns {_kind(causes)}", "return a dictionary of tensors")
        for cause, holds in causes.items():
            self._tensor("end_causes", repr(cause), holds, (_rows_of(state),), torch.bool)
        return causes

    # ------------------------------------------------------------------ success
    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        fitness = self._run("fitness", lambda: self._task.fitness(state, episode_state))
        return self._tensor("fitness", "the fitness", fitness, (_rows_of(state),))

    def sparse_reward(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.sparse_reward`."""
        reward = self._run("sparse_reward", lambda: self._task.sparse_reward(state, episode_state))
        return self._tensor("sparse_reward", "the reward", reward, (_rows_of(state),))

    def own_reward(self, state: State, episode_state: EpisodeState) -> Tensor | None:
        """See `MujocoTask.own_reward`."""
        reward = self._run("own_reward", lambda: self._task.own_reward(state, episode_state))
        if reward is None and self._task.has_own_reward:
            self._refuse(
                "own_reward", "returns nothing, but has_own_reward is True", "make both agree"
            )
        if reward is None:
            return None
        return self._tensor("own_reward", "the reward", reward, (_rows_of(state),))

    def measures(self, state: State, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `MujocoTask.measures`."""
        measures = self._run("measures", lambda: self._task.measures(state, episode_state))
        if not isinstance(measures, dict):
            self._refuse("measures", f"returns {_kind(measures)}", "return a dictionary of tensors")
        for name, value in measures.items():
            self._tensor("measures", repr(name), value, (_rows_of(state),))
        return measures

    # ------------------------------------------------------------------ checks
    def _run(self, method: str, run: Callable[[], _Result]) -> _Result:
        try:
            return run()
        except TaskError:
            raise
        except Exception as error:
            place = place_of(self._task, method)
            raise broken(error, f"{method}() failed", self._task.folder, place) from error

    def _flat(self, method: str, seen: object, state: State) -> Tensor:
        flat = isinstance(seen, Tensor) and seen.ndim == 2 and seen.shape[1] > 0
        if not isinstance(seen, Tensor) or not flat:
            shape = f"({_rows_of(state)}, entries)"
            advice = f"return a tensor of shape {shape}, one row per environment"
            self._refuse(method, f"returns {_kind(seen)}", advice)
        size = self._sizes.setdefault(method, seen.shape[1])
        return self._tensor(method, "the tensor", seen, (_rows_of(state), size))

    def _rows(self, method: str, episode_state: object, rows: int) -> None:
        if not isinstance(episode_state, Mapping):
            self._refuse(
                method,
                f"has {_kind(episode_state)} as episode state",
                "make it a dictionary of tensors",
            )
        for name, value in episode_state.items():
            if not isinstance(value, Tensor) or value.ndim < 1 or len(value) != rows:
                advice = f"make it a tensor of {rows} rows, one per environment"
                self._refuse(method, f"has {name!r} in its episode state as {_kind(value)}", advice)

    def _same_names(self, method: str, episode_state: EpisodeState) -> None:
        names = {*episode_state, "action"} ^ self._episode_state
        if names:
            self._refuse(
                method,
                f"and initial_state() do not both have {', '.join(sorted(names))}",
                "give the episode state the same names in both",
            )

    def _tensor(
        self,
        method: str,
        what: str,
        value: object,
        shape: tuple[int, ...],
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        if not isinstance(value, Tensor) or value.shape != shape or value.dtype != dtype:
            wanted = (
                f"{str(dtype).removeprefix('torch.')} of shape {shape}, one row for each of"
                f" {shape[0]} environments"
            )
            self._refuse(method, f"returns {what} as {_kind(value)}", f"make it {wanted}")
        if not torch.isfinite(value).all():
            self._refuse(
                method,
                f"returns {what} with numbers that are not finite",
                "check for divisions by 0",
            )
        return value

    def _refuse(self, method: str, what: str, advice: str) -> NoReturn:
        raise TaskError(f"{place_of(self._task, method)}: {method}() {what}: {advice}.")


def _rows_of(state: State) -> int:
    return len(state["action"])


def _kind(value: object) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
    return "nothing" if value is None else f"a value of type {type(value).__name__}"

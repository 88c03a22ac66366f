"""What Gymnasium's MuJoCo v5 environments share, in batched torch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Generic, TypeVar

import gymnasium
import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.gymnasium.fitness import FitnessRule
from eureka_agent.simulation.gymnasium.mujoco_v5.feet import Feet, add_foot_sensors
from eureka_agent.simulation.gymnasium.mujoco_v5.models import (
    actuator_names,
    compiled,
    model_path,
)
from eureka_agent.simulation.gymnasium.mujoco_v5.moment import Moment
from eureka_agent.simulation.gymnasium.mujoco_v5.notes import facts
from eureka_agent.simulation.gymnasium.mujoco_v5.settings import Settings, is_default
from eureka_agent.simulation.gymnasium.mujoco_v5.variables import (
    body_positions,
    info_variable,
    mean_velocity,
)
from eureka_agent.simulation.gymnasium.reading import GymnasiumReading
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.ids import split_id
from eureka_agent.tasks.mjcf import load_xml
from eureka_agent.tasks.task import State, StateSpec, StateVariable

SettingsT = TypeVar("SettingsT", bound=Settings)


class MujocoV5Task(MujocoTask, Generic[SettingsT]):
    """One of Gymnasium's MuJoCo v5 environments: the same model, starts, observation and reward.

    The policy's [-1, 1] is the whole range of each actuator. Positions of bodies and everything
    else that MuJoCo derives lag by one physics step, as in Gymnasium. A subclass is one
    environment.
    """

    environment: ClassVar[str]
    """The id without `gym:`, such as `Hopper-v5`."""
    BUDGETS: ClassVar[Mapping[BudgetName, TrainingBudget]]
    build_notes: ClassVar[str]
    """Axes and build of the robot, for models that write rewards."""
    feet: ClassVar[Sequence[str]] = ()
    """Geoms whose places and contacts a reward may read, where the model has them."""
    moving: ClassVar[str] = "the torso"
    """What `velocity_names` are the velocities of."""
    velocity_names: ClassVar[Sequence[str]] = ()
    """Entries of `info` that are velocities of `places`."""
    info_names: ClassVar[Sequence[str]] = ()
    """Other numeric entries of `info` that a reward may read."""
    constant_term: ClassVar[float] = 0.0
    """What the own reward has besides `terms`."""
    data_fields: tuple[str, ...] = ("xpos", "geom_xpos")

    def __init__(self, settings: SettingsT, rule: FitnessRule, task_id: str) -> None:
        """Build the model.

        Args:
            settings: The keyword arguments.
            rule: What measures success.
            task_id: What makes the same task again.
        """
        self.settings = settings
        self.rule = rule
        # Otherwise it is the sparse reward, which need not be trained twice.
        self.has_own_reward = rule.kind != "env_return"
        self.id = task_id
        self.name = self.environment
        self.frame_skip = settings.frame_skip
        self._take_over(gymnasium.spec(self.environment), is_default(settings))
        self.action_names = actuator_names(self.model)
        self._feet = Feet(self.model, self.feet)
        self._bodies = body_positions(self.model)
        self.state_spec = self._state_spec()
        self.ends_early = self.may_end
        zeros = {each.name: torch.zeros(1, *each.shape) for each in self.state_spec.variables}
        self.observation_size = self.observation(zeros, {}).shape[1]
        self.notes = self._notes(zeros)
        self._pose = torch.as_tensor(self.model.qpos0, dtype=torch.float32)
        low, high = torch.as_tensor(self.model.actuator_ctrlrange.T, dtype=torch.float32)
        self._control_middle: Tensor = (high + low) / 2.0
        self._control_half: Tensor = (high - low) / 2.0

    def _take_over(self, spec: gymnasium.envs.registration.EnvSpec, as_registered: bool) -> None:
        """Take the time limit, and the solved return of the default arguments."""
        threshold = spec.reward_threshold if as_registered else None
        limit = self.settings.max_episode_steps or spec.max_episode_steps
        assert limit is not None
        self.max_episode_steps = limit
        self.fitness_unit = self.rule.unit
        self.fitness_meaning = self.rule.meaning(self.max_episode_steps)
        self.fitness_solved = self.rule.solved(threshold, self.max_episode_steps)

    # ------------------------------------------------------------------ the scene
    @classmethod
    def fits(cls, model: mujoco.MjModel, settings: Settings) -> bool:
        """Say whether this class works on a model, which `xml_file` may give."""
        return bool(model.nu > 0 and model.actuator_ctrllimited.all())

    def build(self) -> mujoco.MjSpec:
        """See `MujocoTask.build`."""
        spec = load_xml(model_path(self.settings.xml_file))
        for sensor in list(spec.sensors):  # Gymnasium's environments read none
            spec.delete(sensor)
        add_foot_sensors(spec, self.feet)
        return spec

    @cached_property
    def model(self) -> mujoco.MjModel:
        """The compiled scene."""
        return compiled(self.build())

    def _notes(self, state: State) -> str:
        """Return facts for models; any state serves to name the causes for an end."""
        ends = "; ".join(self.end_causes(state)) if self.ends_early else ""
        return f"{self.build_notes} {facts(self.model, self.action_names, ends)}"

    @property
    def policy_code(self) -> Mapping[str, Callable[..., object]]:
        """See `Task.policy_code`. `notes` say when episodes end."""
        return {"observation": type(self).observation}

    # ------------------------------------------------------------------ what a reward may read
    @abstractmethod
    def variables(self) -> Sequence[StateVariable]:
        """Return the state that `quantities` computes."""

    @abstractmethod
    def quantities(self, physics: Physics) -> dict[str, Tensor]:
        """Return what the environment observes, as physical quantities, by name."""

    @abstractmethod
    def expressions(self) -> dict[str, str]:
        """Return `quantities` as `GymnasiumReading.expressions`."""

    def foot_places(self, physics: Physics) -> Tensor:
        """Return `foot_positions`, `(num_envs, feet, 3)` m."""
        return self._feet.middles(physics)

    def foot_expressions(self) -> dict[str, str]:
        """Return the variables of the feet as `GymnasiumReading.expressions`."""
        return self._feet.expressions()

    @cached_property
    def gymnasium_reading(self) -> GymnasiumReading:
        """See `SupportsGymnasium`."""
        bodies = {name: f"env.data.xpos[{body}]" for name, (body, _) in self._bodies.items()}
        moving = {name: f"info.get({name!r}, 0.0)" for name in self.velocity_names}
        infos = {name: f"info[{name!r}]" for name in self.info_names}
        own = {**self.expressions(), **self.foot_expressions(), "obs_buf": "observation"}
        assert self.id is not None
        _, options = split_id(self.id)
        expressions = {**bodies, **infos, **moving, **own}
        kwargs = options.get("kwargs", {})
        return GymnasiumReading(self.environment, expressions, self.dt, kwargs)

    foot_meaning: ClassVar[str] = "positions of the middles of the feet"

    def _state_spec(self) -> StateSpec:
        moving = [mean_velocity(name, self.moving) for name in self.velocity_names]
        variables = (*self.variables(), *self._feet.variables(self.foot_meaning), *moving)
        known = {variable.name for variable in variables}
        bodies = [each for _, each in self._bodies.values() if each.name not in known]
        infos = [info_variable(name) for name in self.info_names]
        return StateSpec(variables, {"dt": self.dt}, (*infos, *bodies))

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `MujocoTask.state`."""
        state = self.quantities(physics)
        if self._feet.names:
            state["foot_positions"] = self.foot_places(physics)
            state["foot_contact_forces"] = self._feet.contact_forces(physics)
        velocities = episode_state["velocity"].unbind(dim=1)
        return state | dict(zip(self.velocity_names, velocities, strict=True))

    def unlisted_state(
        self, name: str, physics: Physics, episode_state: EpisodeState, state: State
    ) -> Tensor:
        """See `MujocoTask.unlisted_state`."""
        if name in self._bodies:
            place: Tensor = physics.data("xpos")[:, self._bodies[name][0]]
            return place
        healthy = (~episode_state["unhealthy"]).float()
        return self.info(Moment(physics, episode_state["velocity"], healthy))[name]

    # ------------------------------------------------------------------ an episode
    @abstractmethod
    def start(self, random: Random) -> tuple[Tensor, Tensor]:
        """Draw `qpos (n, nq)` and `qvel (n, nv)`."""

    def near_pose(self, random: Random, scale: float) -> Tensor:
        """Draw `qpos (n, nq)` with every entry off the model's own pose by up to `scale`."""
        return self._pose + random.uniform(-scale, scale, self.model.nq)

    @abstractmethod
    def terms(self, moment: Moment) -> dict[str, Tensor]:
        """Return what the own reward is the sum of, `(num_envs,)` each, by name."""

    def info(self, moment: Moment) -> dict[str, Tensor]:
        """Return the numeric entries of `info` that are no terms, `(num_envs,)` each."""
        return dict(zip(self.velocity_names, moment.velocity.unbind(dim=1), strict=True))

    def places(self, physics: Physics) -> Tensor:
        """Return `(num_envs, k)` m: the positions that `velocity_names` are the velocities of."""
        return physics.qpos[:, :0]

    @property
    def may_end(self) -> bool:
        """Whether episodes terminate."""
        return False

    def causes(self, *measures: Tensor) -> dict[str, Tensor]:
        """Return which causes for an end hold, `(num_envs,)` bool each, by the cause in words."""
        return {}

    def causes_now(self, physics: Physics) -> dict[str, Tensor]:
        """Return `causes` for the physics; `end_causes` returns them for a state."""
        return {}

    def control(self, action: Tensor, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.control`. For a range of [-1, 1] the bits of an action do not change."""
        middle, half = (row.to(action.device) for row in (self._control_middle, self._control_half))
        return middle + half * action

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        qpos, qvel = self.start(random)
        n, k = random.n, len(self.velocity_names)
        remembered = {
            "places": torch.zeros(n, k),
            "velocity": torch.zeros(n, k),
            "own_reward": torch.zeros(n),
            "unhealthy": torch.zeros(n, dtype=torch.bool),
        }
        if self.rule.kind == "info":
            remembered["fitness"] = torch.zeros(n)
            remembered["measured"] = torch.zeros(n)
            remembered["first"] = torch.ones(n, dtype=torch.bool)
        return InitialState(qpos, qvel, episode_state=remembered)

    def first_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.first_episode_state`."""
        return {**episode_state, "places": self.places(physics)}

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.update_episode_state`."""
        places = self.places(physics)
        velocity = (places - episode_state["places"]) / self.dt
        unhealthy = torch.zeros_like(episode_state["unhealthy"])
        for holds in self.causes_now(physics).values():
            unhealthy = unhealthy | holds
        moment = Moment(physics, velocity, (~unhealthy).float())
        terms = self.terms(moment)
        updated = {
            "places": places,
            "velocity": velocity,
            "own_reward": torch.stack(tuple(terms.values())).sum(dim=0) + self.constant_term,
            "unhealthy": unhealthy,
        }
        if self.rule.kind == "info":
            return updated | self._measured({**self.info(moment), **terms}, episode_state)
        return updated

    def _measured(
        self, info: Mapping[str, Tensor], episode_state: EpisodeState
    ) -> dict[str, Tensor]:
        """Return what a rule that reads `info` adds to the fitness, and what it remembers."""
        first = episode_state["first"]
        value = self.rule.value(episode_state["own_reward"], info, {})
        added, measured = self.rule.added(value, episode_state["measured"], first)
        return {"fitness": added, "measured": measured, "first": torch.zeros_like(first)}

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.terminated`."""
        return episode_state["unhealthy"]

    # ------------------------------------------------------------------ success
    def own_reward(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.own_reward`."""
        return episode_state["own_reward"]

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        if self.rule.kind == "info":
            return episode_state["fitness"]
        return self.rule.value(episode_state["own_reward"], {}, state)

"""Gymnasium's Hopper-v5 and Ant-v5 as tasks.

They have the same model, integrator, frame skip, initial states, observation, reward and end.
Ant-v5 can leave the contact forces out of the observation and the reward, and both sides do so here
(`include_cfrc_ext_in_observation=False`, `contact_cost_weight=0.0`). The integrator is RK4; each
task also exists with implicitfast, which takes about a third of the time, and so does Gymnasium's
environment (`maker`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal, get_args

import gymnasium
import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.mjcf import load_package_xml
from eureka_agent.tasks.task import State, StateSpec, StateVariable

_HOPPER = TrainingBudget(num_envs=64, environment_steps=100_352, horizon=32, gae_lambda=0.98)
"""More environments with shorter rollouts learn faster, but reach less after equal steps."""
_ANT = TrainingBudget(num_envs=320, environment_steps=102_400, horizon=16, minibatches=8)
"""The ant learns as well with these, in minibatches of 640 rows; with 512 environments it learns
less."""


def _for_all(budget: TrainingBudget) -> Mapping[BudgetName, TrainingBudget]:
    return dict.fromkeys(get_args(BudgetName), budget)


_REWARD = """
def compute_reward(x_velocity, healthy, action):
    forward = {forward} * x_velocity
    alive = {alive} * healthy
    cost = {cost} * (action * action).sum(dim=1)
    return forward + alive - cost, {{"forward": forward, "alive": alive, "cost": cost}}
"""


@dataclass(frozen=True)
class Weights:
    """The weights of a reward; `cost` is that of actions."""

    cost: float
    forward: float = 1.0
    alive: float = 1.0

    @property
    def source(self) -> str:
        """The source of the reward."""
        return _REWARD.format(cost=self.cost, forward=self.forward, alive=self.alive)

    @property
    def options(self) -> dict[str, float]:
        """The reward as Gymnasium's options."""
        return {
            "forward_reward_weight": self.forward,
            "healthy_reward": self.alive,
            "ctrl_cost_weight": self.cost,
        }


class GymnasiumTask(MujocoTask):
    state_spec = StateSpec(
        variables=(
            StateVariable(
                "x_velocity", (), "m/s", "world", "mean forward velocity over the step", "speed"
            ),
            StateVariable("healthy", (), "-", "-", "1 while the episode goes on", "flag"),
            StateVariable("observed", (0,), "-", "-", "the policy's observation"),
        )
    )
    max_episode_steps = 1000
    fitness_unit = "m/s"
    fitness_solved = 3.0
    xml: str
    gymnasium_id: str
    gymnasium_options: Mapping[str, Any]
    weights: Weights

    def __init__(self, *, implicitfast: bool = False) -> None:
        self._implicitfast = implicitfast
        if implicitfast:
            self.name = f"{self.name}_implicitfast"

    def build(self) -> mujoco.MjSpec:
        spec = load_package_xml("gymnasium", f"envs/mujoco/assets/{self.xml}")
        if self._implicitfast:
            spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        return spec

    def maker(self, weights: Weights | None = None) -> Callable[[], gymnasium.Env[Any, Any]]:
        """Return a function that makes Gymnasium's environment with this task's integrator.

        It works in another process, too.
        """
        options = {**self.gymnasium_options, **(weights or self.weights).options}
        return partial(_make, self.gymnasium_id, options, int(self.model.opt.integrator))

    @cached_property
    def rest(self) -> Tensor:
        return torch.as_tensor(self.model.qpos0, dtype=torch.float32)

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        return {"x": physics.qpos[:, 0], "before": episode_state["x"]}

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        return {
            "x_velocity": (episode_state["x"] - episode_state["before"]) / self.dt,
            "healthy": self.healthy(physics.qpos, physics.qvel).float(),
            "observed": self.observed(physics.qpos, physics.qvel),
        }

    def healthy(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        raise NotImplementedError

    def observed(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        raise NotImplementedError

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        return state["observed"]

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        return state["healthy"] == 0.0

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        return state["x_velocity"] / self.max_episode_steps


def _make(
    gymnasium_id: str, options: Mapping[str, Any], integrator: int
) -> gymnasium.Env[Any, Any]:
    environment = gymnasium.make(gymnasium_id, **options)
    inner: Any = environment.unwrapped
    inner.model.opt.integrator = integrator
    return environment


class GymnasiumHopper(GymnasiumTask):
    """Hopper-v5."""

    name, description, xml = "gymnasium_hopper", "hop forward", "hopper.xml"
    gymnasium_id, gymnasium_options = "Hopper-v5", {}
    frame_skip = 4
    action_names = ("thigh", "leg", "foot")
    BUDGETS = _for_all(_HOPPER)
    weights = Weights(cost=1e-3)
    human_reward = weights.source

    def initial_state(self, random: Random) -> InitialState:
        qpos = self.rest + random.uniform(-5e-3, 5e-3, 6)
        return InitialState(
            qpos,
            random.uniform(-5e-3, 5e-3, 6),
            episode_state={"x": qpos[:, 0], "before": qpos[:, 0]},
        )

    def healthy(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        moderate = (torch.cat((qpos[:, 2:], qvel), dim=1).abs() < 100.0).all(dim=1)
        return moderate & (qpos[:, 1] > 0.7) & (qpos[:, 2].abs() < 0.2)

    def observed(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        return torch.cat((qpos[:, 1:], qvel.clamp(-10.0, 10.0)), dim=1)


class GymnasiumAnt(GymnasiumTask):
    """Ant-v5 without contact forces."""

    name, description, xml = "gymnasium_ant", "run forward", "ant.xml"
    gymnasium_id = "Ant-v5"
    gymnasium_options = {  # noqa: RUF012
        "include_cfrc_ext_in_observation": False,
        "contact_cost_weight": 0.0,
    }
    frame_skip = 5
    action_names = tuple(f"{joint}_{leg}" for leg in (4, 1, 2, 3) for joint in ("hip", "ankle"))
    BUDGETS = _for_all(_ANT)
    weights = Weights(cost=0.5)
    human_reward = weights.source

    def initial_state(self, random: Random) -> InitialState:
        qpos = self.rest + random.uniform(-0.1, 0.1, 15)
        return InitialState(
            qpos, random.normal(0.1, 14), episode_state={"x": qpos[:, 0], "before": qpos[:, 0]}
        )

    def healthy(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        return (qpos[:, 2] >= 0.2) & (qpos[:, 2] <= 1.0)

    def observed(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        return torch.cat((qpos[:, 2:], qvel), dim=1)


Benchmarked = Literal["hopper", "ant", "hopper-implicitfast", "ant-implicitfast"]
TASKS: dict[Benchmarked, GymnasiumTask] = {
    "hopper": GymnasiumHopper(),
    "ant": GymnasiumAnt(),
    "hopper-implicitfast": GymnasiumHopper(implicitfast=True),
    "ant-implicitfast": GymnasiumAnt(implicitfast=True),
}

"""Gymnasium's Hopper-v5 and Ant-v5 as tasks: same model, integrator, frame skip, start, observation, reward and end.

Ant-v5 can leave the contact forces out of the observation and the reward, and both sides do so here
(`include_cfrc_ext_in_observation=False`, `contact_cost_weight=0.0`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import mujoco
import torch
from torch import Tensor

from eureka_agent.scene import load_package_xml
from eureka_agent.task import Memory, Physics, Random, Start, State, StateSpec, StateVariable, Task, TrainingBudget

_BUDGET = TrainingBudget(num_envs=64, environment_steps=100_352, horizon=32)
_REWARD = """
def compute_reward(x_velocity, healthy, action):
    forward, alive, cost = x_velocity, healthy, {cost} * (action * action).sum(dim=1)
    return forward + alive - cost, {{"forward": forward, "alive": alive, "cost": cost}}
"""


class _GymnasiumTask(Task):
    state_spec = StateSpec(
        variables=(
            StateVariable("x_velocity", (), "m/s", "world", "mean forward velocity over the step", "speed"),
            StateVariable("healthy", (), "-", "-", "1 while the episode goes on", "flag"),
            StateVariable("observed", (0,), "-", "-", "the policy's observation"),
        )
    )
    max_episode_steps = 1000
    fitness_unit = "m/s"
    fitness_solved = 3.0
    budgets: Mapping[Literal["quick", "normal", "paper"], TrainingBudget] = {
        "quick": _BUDGET,
        "normal": _BUDGET,
        "paper": _BUDGET,
    }
    xml: str
    gymnasium_id: str
    gymnasium_options: Mapping[str, Any]

    def build(self) -> mujoco.MjSpec:
        return load_package_xml("gymnasium", f"envs/mujoco/assets/{self.xml}")

    @cached_property
    def rest(self) -> Tensor:
        return torch.as_tensor(self.model.qpos0, dtype=torch.float32)

    def remember(self, physics: Physics, memory: Memory) -> Memory:
        return {"x": physics.qpos[:, 0], "before": memory["x"]}

    def state(self, physics: Physics, memory: Memory) -> dict[str, Tensor]:
        return {
            "x_velocity": (memory["x"] - memory["before"]) / self.dt,
            "healthy": self.healthy(physics.qpos, physics.qvel).float(),
            "observed": self.observed(physics.qpos, physics.qvel),
        }

    def healthy(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        raise NotImplementedError

    def observed(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        raise NotImplementedError

    def observation(self, state: State, memory: Memory) -> Tensor:
        return state["observed"]

    def terminated(self, state: State, memory: Memory) -> Tensor:
        return state["healthy"] == 0.0

    def fitness(self, state: State, memory: Memory) -> Tensor:
        return state["x_velocity"] / self.max_episode_steps


class GymnasiumHopper(_GymnasiumTask):
    """Hopper-v5."""

    name, description, xml = "gymnasium_hopper", "hop forward", "hopper.xml"
    gymnasium_id, gymnasium_options = "Hopper-v5", {}
    frame_skip = 4
    action_names = ("thigh", "leg", "foot")
    human_reward = _REWARD.format(cost=1e-3)

    def start(self, random: Random) -> Start:
        qpos = self.rest + random.uniform(-5e-3, 5e-3, 6)
        return Start(qpos, random.uniform(-5e-3, 5e-3, 6), memory={"x": qpos[:, 0], "before": qpos[:, 0]})

    def healthy(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        moderate = (torch.cat((qpos[:, 2:], qvel), dim=1).abs() < 100.0).all(dim=1)
        return moderate & (qpos[:, 1] > 0.7) & (qpos[:, 2].abs() < 0.2)

    def observed(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        return torch.cat((qpos[:, 1:], qvel.clamp(-10.0, 10.0)), dim=1)


class GymnasiumAnt(_GymnasiumTask):
    """Ant-v5 without contact forces."""

    name, description, xml = "gymnasium_ant", "run forward", "ant.xml"
    gymnasium_id = "Ant-v5"
    gymnasium_options = {"include_cfrc_ext_in_observation": False, "contact_cost_weight": 0.0}  # noqa: RUF012
    frame_skip = 5
    action_names = tuple(f"{joint}_{leg}" for leg in (4, 1, 2, 3) for joint in ("hip", "ankle"))
    human_reward = _REWARD.format(cost=0.5)

    def start(self, random: Random) -> Start:
        qpos = self.rest + random.uniform(-0.1, 0.1, 15)
        return Start(qpos, random.normal(0.1, 14), memory={"x": qpos[:, 0], "before": qpos[:, 0]})

    def healthy(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        return (qpos[:, 2] >= 0.2) & (qpos[:, 2] <= 1.0)

    def observed(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        return torch.cat((qpos[:, 2:], qvel), dim=1)

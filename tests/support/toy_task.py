"""A tiny task for tests that do not depend on its physics: bring a mass on a rail to a mark."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.task import State, StateSpec, StateVariable

_RAIL_M = 2.0
BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": TrainingBudget(4, 64),
    "normal": TrainingBudget(4, 64),
    "paper": TrainingBudget(4, 64),
}
_XML = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <body name="mass"><joint name="slide" type="slide" axis="1 0 0"/><geom size="0.1" mass="1"/></body>
  </worldbody>
  <actuator><motor joint="slide" ctrlrange="-5 5"/></actuator>
</mujoco>
"""


class ToyTask(MujocoTask):
    """Bring the mass to the mark."""

    name = "toy"
    description = "bring the mass to the mark and hold it there"
    state_spec = StateSpec(
        variables=(
            StateVariable("mass_pos", (3,), "m", "world", "where the mass is", "position"),
            StateVariable("mass_speed", (), "m/s", "-", "how fast it moves", "speed"),
            StateVariable(
                "mark_pos", (3,), "m", "world", "where it belongs", "position", goal_for="mass_pos"
            ),
            StateVariable("mass_rot", (4,), "-", "world", "its orientation", "quaternion_xyzw"),
        ),
        constants={"rail_length": _RAIL_M},
    )
    frame_skip = 2
    max_episode_steps = 100
    fitness_unit = "m"
    fitness_solved = -0.1
    action_names = ("push",)
    human_reward = "def compute_reward(mass_speed):\n    return -9.75 * mass_speed, {}\n"

    def build(self) -> mujoco.MjSpec:
        return mujoco.MjSpec.from_string(_XML)

    def initial_state(self, random: Random) -> InitialState:
        return InitialState(random.uniform(-1.0, 1.0, 1), random.normal(0.1, 1))

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        zero = torch.zeros_like(physics.qpos)
        return {
            "mass_pos": torch.cat((physics.qpos, zero, zero), dim=1),
            "mass_speed": physics.qvel[:, 0].abs(),
            "mark_pos": zero.expand(-1, 3),
            "mass_rot": torch.cat((zero, zero, zero, zero + 1.0), dim=1),
        }

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """What the policy sees."""
        return torch.cat((state["mass_pos"][:, :1], state["mass_speed"][:, None]), dim=1)

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """The mass has left the rail."""
        return state["mass_pos"][:, 0].abs() > _RAIL_M

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        how_far_off: Tensor = (state["mass_pos"] - state["mark_pos"]).norm(dim=1)
        return -how_far_off / 123.25

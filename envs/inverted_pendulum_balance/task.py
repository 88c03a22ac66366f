"""Inverted pendulum balance: see `InvertedPendulumBalance`."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.physics import EpisodeState
from eureka_agent.simulation.readings import coordinate, spec_of
from eureka_agent.simulation.robot_task import RobotTask
from eureka_agent.tasks.mjcf import load_package_xml
from eureka_agent.tasks.task import State

_MAX_ANGLE_RAD = 0.2
BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": TrainingBudget(num_envs=16, environment_steps=80_000, horizon=64),
    "normal": TrainingBudget(num_envs=64, environment_steps=300_000, horizon=64),
    "paper": TrainingBudget(num_envs=512, environment_steps=4_000_000),
}


class InvertedPendulumBalance(RobotTask):
    """Keep a pole upright on a cart.

    Gymnasium's `InvertedPendulum-v5`: a cart of 10.5 kg on a rail of 2 m, with a pole of 0.6 m and
    5 kg. Control runs at 25 Hz, two physics steps each.

    **Action** (1): the force on the cart; [-1, 1] is [-300, 300] N. **Observation** (4): position
    of the cart, angle of the pole, and their velocities.

    **Start**: upright; positions and velocities are off by up to 0.01. **End**: the pole leans by
    more than 0.2 rad, or after 1000 steps (40 s). **Fitness**: the length of the episode in steps;
    950, Gymnasium's threshold, is solved. **Difference from Gymnasium**: the integrator is
    implicitfast.

    **Source**: Barto, Sutton and Anderson 1983; Towers et al. 2024 (Gymnasium,
    `inverted_pendulum.xml`).
    """

    name = "inverted_pendulum_balance"
    description = "keep the pole upright on the cart"
    aliases = ("InvertedPendulum-v5", "InvertedPendulum-v4")
    readings = (
        *coordinate("cart_position", 0, "m", "place of the cart, 0 in the middle of the rail"),
        *coordinate("pole_angle", 1, "rad", "lean of the pole, 0 upright"),
    )
    state_spec = spec_of(readings, dt=0.04)
    frame_skip, max_episode_steps, observation_size = 2, 1000, 4
    start_noise = (0.01, 0.01)
    fitness_unit = "steps"
    fitness_solved = 950.0
    fitness_meaning = "length of the episode in environment steps, at most 1000"
    notes = "The cart can move 1 m to either side. A full action is 300 N, strong for 15.5 kg."
    action_names = ("push",)

    def robot(self) -> mujoco.MjSpec:
        """See `RobotTask.robot`."""
        spec = load_package_xml("gymnasium", "envs/mujoco/assets/inverted_pendulum.xml")
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        return spec

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        names = ("cart_position", "pole_angle", "cart_position_velocity", "pole_angle_velocity")
        return torch.stack([state[name] for name in names], dim=1)

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.terminated`."""
        return state["pole_angle"].abs() > _MAX_ANGLE_RAD

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        return {f"pole leans more than {_MAX_ANGLE_RAD} rad": self.terminated(state, {})}

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        return torch.ones_like(state["pole_angle"])


TASK = InvertedPendulumBalance()

"""Cartpole: see `Cartpole`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.mjcf import load_xml
from eureka_agent.tasks.task import State, StateSpec, StateVariable

_MAX_DISTANCE_M = 3.0
_MAX_ANGLE_RAD = math.pi / 2

_STATE = StateSpec(
    variables=(
        StateVariable(
            name="dof_pos",
            shape=(2,),
            unit="m, rad",
            frame="world",
            meaning=(
                "position of the cart on the rail; angle of the pole, 0 upright, positive"
                " towards +x"
            ),
            kind="joint_positions",
            elements=("cart", "pole"),
        ),
        StateVariable(
            name="dof_vel",
            shape=(2,),
            unit="m/s, rad/s",
            frame="world",
            meaning="velocity of the cart; angular velocity of the pole",
            kind="joint_velocities",
            elements=("cart", "pole"),
        ),
    ),
    constants={"reset_dist": _MAX_DISTANCE_M, "max_push_effort": 400.0},
)

BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": TrainingBudget(num_envs=16, environment_steps=80_000, horizon=64),
    "normal": TrainingBudget(num_envs=64, environment_steps=300_000, horizon=64),
    "paper": TrainingBudget(num_envs=512, environment_steps=4_000_000),
}


class Cartpole(MujocoTask):
    """Balance a pole on a cart by pushing the cart.

    A pole of 1 kg and 1 m stands on a hinge on a cart of 1 kg that slides on a rail without
    friction. Control runs at 60 Hz, two physics steps each. Reproduces Isaac Gym's `Cartpole` as
    Eureka uses it, with its names.

    **Action**

    ===  ====================  ===============================
    0    `cart_force`          [-1, 1] to [-400, 400] N along x
    ===  ====================  ===============================

    **Observation** (4)

    ===  ===================================================  =====
    0    position of the cart                                 m
    1    velocity of the cart                                 m/s
    2    angle of the pole, 0 upright, positive towards +x    rad
    3    angular velocity of the pole                         rad/s
    ===  ===================================================  =====

    **State that a reward may read**: `dof_pos` and `dof_vel` (cart, pole), and the constants
    `reset_dist` (m) and `max_push_effort` (N).

    **Start**: positions uniform in [-0.1, 0.1] m and rad, velocities uniform in [-0.25, 0.25] m/s
    and rad/s.

    **End**: the cart is more than 3 m from the middle, the pole more than 90° from upright, or
    after 500 steps.

    **Fitness**: the length of the episode in steps; 500, a whole episode, is solved. Eureka,
    appendix B, measures the same.

    **Source**: Makoviychuk et al. 2021 (Isaac Gym); Ma et al. 2023 (Eureka). The model is our own.
    """

    name = "cartpole"
    description = "balance a pole on a cart so that the pole stays upright"
    aliases = (
        "cart pole",
        "balance the pole",
        "balance the pole on the cart",
        "inverted pendulum",
        "Isaac-Cartpole-v0",
        "Isaac-Cartpole-Direct-v0",
    )
    state_spec = _STATE
    frame_skip = 2
    max_episode_steps = 500
    fitness_unit = "steps"
    fitness_solved = 500.0
    fitness_meaning = "length of the episode in environment steps, at most 500"
    notes = (
        "The cart weighs 1 kg and slides without friction along x; the pole weighs 1 kg, is 1 m"
        " long. The cart starts within 0.1 m of the middle, the pole within 0.1 rad of upright,"
        " both slow. A full action is 400 N, which accelerates the cart by about 200 m/s^2."
    )
    action_names = ("cart_force",)
    observation_size = 4

    def build(self) -> mujoco.MjSpec:
        """See `MujocoTask.build`."""
        return load_xml(Path(__file__).with_name("cartpole.xml"))

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        return InitialState(qpos=random.uniform(-0.1, 0.1, 2), qvel=random.uniform(-0.25, 0.25, 2))

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `MujocoTask.state`."""
        return {"dof_pos": physics.qpos, "dof_vel": physics.qvel}

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        return torch.stack((state["dof_pos"], state["dof_vel"]), dim=2).flatten(1)

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.terminated`."""
        distance, angle = state["dof_pos"].abs().unbind(dim=1)
        return (distance > _MAX_DISTANCE_M) | (angle > _MAX_ANGLE_RAD)

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        distance, angle = state["dof_pos"].abs().unbind(dim=1)
        return {
            f"pole more than {math.degrees(_MAX_ANGLE_RAD):.0f}° from upright": angle
            > _MAX_ANGLE_RAD,
            f"cart more than {_MAX_DISTANCE_M:.0f} m from the middle": distance > _MAX_DISTANCE_M,
        }

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        return torch.ones_like(state["dof_pos"][:, 0])


TASK = Cartpole()

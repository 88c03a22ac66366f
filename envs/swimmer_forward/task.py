"""Swimmer forward: see `SwimmerForward`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.physics import EpisodeState
from eureka_agent.simulation.readings import coordinate, frame, joints, spec_of
from eureka_agent.simulation.robot_task import ForwardTask
from eureka_agent.tasks.mjcf import load_package_xml
from eureka_agent.tasks.task import State

_JOINTS = ("motor1_rot", "motor2_rot")
# A stroke pays only after many steps: with a discount of 0.99 policies stay nearly where they are.
_QUICK = TrainingBudget(
    num_envs=16, environment_steps=400_000, horizon=128, discount=0.9995, gae_lambda=0.98
)
BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": _QUICK,
    "normal": replace(_QUICK, num_envs=32, environment_steps=1_500_000),
    "paper": replace(_QUICK, num_envs=1024, environment_steps=20_000_000, horizon=32),
}


class SwimmerForward(ForwardTask):
    """Make a snake of three links swim forward as fast as it can.

    Gymnasium's `Swimmer-v5`: three links of 1 m in a viscous fluid, in the xy-plane. Control runs
    at 25 Hz, four physics steps each.

    **Action** (2): torques between front and middle link and between middle and back link; [-1, 1]
    is [-150, 150] N m. **Observation** (8): direction of the front link, joint angles, velocity of
    the front link along x and y, its angular velocity, joint velocities.

    **Start**: stretched along x; positions and velocities are off by up to 0.1. **End**: after 1000
    steps (40 s). **Fitness**: mean speed along x in m/s over the 40 s; 0.36 m/s, Gymnasium's
    threshold, is solved. **Difference from Gymnasium**: the integrator is implicitfast.

    **Source**: Coulom 2002; Towers et al. 2024 (Gymnasium, `swimmer.xml`).
    """

    name = "swimmer_forward"
    description = "make the swimmer swim forward as fast as possible"
    aliases = ("swimmer", "Swimmer-v5", "Swimmer-v4")
    readings = (
        *frame("torso", called="front", axes="x is forward"),
        *coordinate(
            "front_angle", 2, "rad", "direction of the front link, 0 along x, positive left"
        ),
        *joints(_JOINTS, qpos=slice(3, None), qvel=slice(3, None), zero="stretched"),
    )
    state_spec = spec_of(readings, dt=0.04)
    frame_skip, max_episode_steps, observation_size = 4, 1000, 8
    start_noise = (0.1, 0.1)
    fitness_solved = 0.36
    notes = (
        "x is forward, y to the left; it moves in the xy-plane alone, in a viscous fluid without"
        " gravity's help. Each link is 1 m long and weighs 36 kg; joints bend up to 1.75 rad."
        " front_position is the front link's frame, 0.5 m ahead of the front joint."
    )
    action_names = _JOINTS

    def robot(self) -> mujoco.MjSpec:
        """See `RobotTask.robot`."""
        spec = load_package_xml("gymnasium", "envs/mujoco/assets/swimmer.xml")
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        return spec

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        angle, rate = state["front_angle"][:, None], state["front_angle_velocity"][:, None]
        angles, speed = state["joint_positions"], state["front_velocity"][:, :2]
        return torch.cat((angle, angles, speed, rate, state["joint_velocities"]), dim=1)


TASK = SwimmerForward()

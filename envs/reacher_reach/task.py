"""Reacher: see `ReacherReach`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.simulation.readings import Reading, frame, joints, spec_of
from eureka_agent.simulation.robot_task import RobotTask
from eureka_agent.tasks.mjcf import load_package_xml
from eureka_agent.tasks.task import State

_JOINTS = ("joint0", "joint1")
_NEAR_M = 0.02
_QUICK = TrainingBudget(num_envs=64, environment_steps=400_000, horizon=50, gae_lambda=0.98)
BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": _QUICK,
    "normal": replace(_QUICK, num_envs=128, environment_steps=1_500_000),
    "paper": replace(_QUICK, num_envs=1024, environment_steps=10_000_000),
}
_FINGERTIP = frame("fingertip", axes="x and y span the table")
_TARGET = frame("target", quantities=("position",), axes="")[0]


class ReacherReach(RobotTask):
    """Bring the fingertip of a two-jointed arm to a target.

    Gymnasium's `Reacher-v5`: two links of 0.1 m on a table. Control runs at 50 Hz, two physics
    steps each.

    **Action** (2): torques of shoulder and elbow; [-1, 1] is [-200, 200] N m against a joint
    inertia of 1 kg m2. **Observation** (10): cosines and sines of the joint angles, the target's x
    and y, the joint velocities, and the way from the target to the fingertip in x and y.

    **Start**: stretched along x, joints off by up to 0.1 rad and 0.005 rad/s; the target anywhere
    within 0.2 m of the shoulder. **End**: after 50 steps (1 s). **Fitness**: minus the distance
    between fingertip and target at the end, in m; -0.02 m is solved. **Difference from Gymnasium**:
    the integrator is implicitfast.

    **Source**: Towers et al. 2024 (Gymnasium, `reacher.xml`).
    """

    name = "reacher_reach"
    description = "bring the fingertip of the arm to the target"
    aliases = ("reacher", "Reacher-v5", "Reacher-v4")
    readings = (
        *_FINGERTIP,
        Reading(
            replace(_TARGET.variable, goal_for="fingertip_position"),
            _TARGET.read,
            _TARGET.add_sensors,
        ),
        *joints(_JOINTS, qpos=slice(0, 2), qvel=slice(0, 2), zero="stretched along x"),
    )
    state_spec = spec_of(readings, dt=0.02)
    frame_skip, max_episode_steps, observation_size = 2, 50, 10
    fitness_unit = "m"
    fitness_solved = -0.02
    fitness_meaning = "minus the distance between fingertip and target at the end, in m"
    notes = (
        "The shoulder is in the origin; upper and lower arm are 0.1 m long. The target does not"
        " move during an episode. Joints have a damping of 1 N m s/rad."
    )
    action_names = _JOINTS

    def robot(self) -> mujoco.MjSpec:
        """See `RobotTask.robot`."""
        spec = load_package_xml("gymnasium", "envs/mujoco/assets/reacher.xml")
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        return spec

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        joints_off = random.uniform(-0.1, 0.1, 2)
        distance = 0.2 * random.uniform(0.0, 1.0).sqrt()  # even over the disc
        direction = random.uniform(-torch.pi, torch.pi)
        target = distance[:, None] * torch.stack((direction.cos(), direction.sin()), dim=1)
        qvel = torch.cat((random.uniform(-0.005, 0.005, 2), torch.zeros(random.n, 2)), dim=1)
        zero = torch.zeros(random.n)
        start = {"distance": zero, "nearer": zero}
        return InitialState(torch.cat((joints_off, target), dim=1), qvel, episode_state=start)

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.update_episode_state`."""
        way = physics.sensor("fingertip_position") - physics.sensor("target_position")
        distance = way.norm(dim=1)
        nearer = episode_state["distance"] - distance
        return {"distance": distance, "nearer": nearer}

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        angles, target = state["joint_positions"], state["target_position"][:, :2]
        way = state["fingertip_position"][:, :2] - target
        return torch.cat(
            (angles.cos(), angles.sin(), target, state["joint_velocities"], way), dim=1
        )

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`: the changes of the distance add up to the last one."""
        return episode_state["nearer"]

    def sparse_reward(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.sparse_reward`: one point for each step within 2 cm of the target."""
        return (episode_state["distance"] < _NEAR_M).float()


TASK = ReacherReach()

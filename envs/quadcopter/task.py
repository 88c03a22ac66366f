"""Quadcopter: see `Quadcopter`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks import rotations
from eureka_agent.tasks.mjcf import load_xml
from eureka_agent.tasks.task import State, StateSpec, StateVariable

_ROTORS = ("front_left", "back_left", "back_right", "front_right")
_TILTS = tuple(f"{rotor}_{tilt}" for rotor in _ROTORS for tilt in ("roll", "pitch"))
_MAX_TILT_RAD, _MAX_THRUST_N = 0.5236, 2.0
_TILT_STEP_RAD, _THRUST_STEP_N = 0.2513, 2.0
_LOWEST_M, _FURTHEST_M, _ENDED_M = 0.3, 8.0, 2.0
_QUICK = TrainingBudget(num_envs=64, environment_steps=500_000, horizon=64, gae_lambda=0.98)
BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": _QUICK,
    "normal": replace(_QUICK, num_envs=128, environment_steps=2_000_000),
    "paper": replace(_QUICK, num_envs=2048, environment_steps=50_000_000, hidden=(256, 256, 128)),
}


class Quadcopter(MujocoTask):
    """Fly a quadcopter with tilting rotors to (0, 0, 1) and hover there.

    Reproduces Isaac Gym's `Quadcopter` as Eureka uses it, with its names; the model is our own:
    a disc of 0.26 kg in all with four rotors, each tilted by a roll and a pitch joint. Control runs
    at 100 Hz, two physics steps each.

    **Action** (12): changes of the tilts' target angles (roll and pitch of each rotor; [-1, 1] is
    0.25 rad a step, targets within 30 degrees), then of the four thrusts (2 N a step, within 0 to 2
    N). **Observation** (21): the way to the target / 3, orientation (x, y, z, w), linear velocity /
    2, angular velocity / pi, tilts.

    **Start**: level at rest, up to 1.5 m off in x and y, 0.8 to 2.5 m high, tilts within 0.2 rad,
    no thrust. **End**: below 0.3 m, more than 8 m from the target, or after 500 steps (5 s).
    **Fitness**: minus the mean distance to the target in m over 500 steps (Eureka, appendix B);
    steps after an early end count as 2 m. -0.2 m is solved.

    **Source**: Makoviychuk et al. 2021 (Isaac Gym); Ma et al. 2023 (Eureka).
    """

    name = "quadcopter"
    description = "make the quadcopter reach and hover near a fixed position"
    aliases = ("quadcopter hover", "Isaac-Quadcopter-Direct-v0")
    state_spec = StateSpec(
        (
            StateVariable("root_positions", (3,), "m", "world", "where it is; z is up", "position"),
            StateVariable("root_quats", (4,), "-", "world", "orientation", "quaternion_xyzw"),
            StateVariable("root_linvels", (3,), "m/s", "world", "velocity", "linear_velocity"),
            StateVariable("root_angvels", (3,), "rad/s", "world", "turning", "angular_velocity"),
            StateVariable(
                "dof_positions", (8,), "rad", "-", "tilts of the rotors", elements=_TILTS
            ),
            StateVariable(
                "target_root_positions",
                (3,),
                "m",
                "world",
                "where it should hover: (0, 0, 1)",
                "position",
                goal_for="root_positions",
            ),
        ),
        {"dt": 0.01},
    )
    frame_skip, max_episode_steps, observation_size = 2, 500, 21
    fitness_unit = "m"
    fitness_solved = -0.2
    fitness_meaning = (
        "minus the mean distance to (0, 0, 1) in m over 500 steps; steps after an early end count"
        " as 2 m"
    )
    notes = (
        "It weighs 0.26 kg, so hovering takes 2.5 N of the 8 N that all rotors give together. It"
        " starts without thrust and falls at first; below 0.3 m the episode ends."
    )
    action_names = (*_TILTS, *(f"{rotor}_thrust" for rotor in _ROTORS))

    def build(self) -> mujoco.MjSpec:
        """See `MujocoTask.build`."""
        return load_xml(Path(__file__).with_name("quadcopter.xml"))

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        qpos = torch.zeros(random.n, self.model.nq)
        qpos[:, :2] = random.uniform(-1.5, 1.5, 2)
        qpos[:, 2] = random.uniform(0.8, 2.5)
        qpos[:, 3] = 1.0
        qpos[:, 7:] = random.uniform(-0.2, 0.2, 8)
        targets = torch.cat((qpos[:, 7:], torch.zeros(random.n, 4)), dim=1)
        qvel = torch.zeros(random.n, self.model.nv)
        return InitialState(qpos, qvel, ctrl=targets, episode_state={"targets": targets})

    def control(self, action: Tensor, episode_state: EpisodeState) -> Tensor:
        """Move the tilts' targets and the thrusts."""
        tilts, thrusts = torch.split(episode_state["targets"], [8, 4], dim=1)
        tilts = (tilts + _TILT_STEP_RAD * action[:, :8]).clamp(-_MAX_TILT_RAD, _MAX_TILT_RAD)
        thrusts = (thrusts + _THRUST_STEP_N * action[:, 8:]).clamp(0.0, _MAX_THRUST_N)
        return torch.cat((tilts, thrusts), dim=1)

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.update_episode_state`."""
        return {"targets": physics.ctrl}

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `MujocoTask.state`."""
        quat = physics.qpos[:, 3:7]
        return {
            "root_positions": physics.qpos[:, :3],
            "root_quats": rotations.to_xyzw(quat),
            "root_linvels": physics.qvel[:, :3],
            # qvel has the angular velocity in the body's frame.
            "root_angvels": rotations.rotate(quat, physics.qvel[:, 3:6]),
            "dof_positions": physics.qpos[:, 7:],
            "target_root_positions": torch.tensor([0.0, 0.0, 1.0], device=quat.device).expand(
                physics.num_envs, 3
            ),
        }

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        way = state["target_root_positions"] - state["root_positions"]
        speed, turning = state["root_linvels"] / 2.0, state["root_angvels"] / torch.pi
        return torch.cat(
            (way / 3.0, state["root_quats"], speed, turning, state["dof_positions"]), 1
        )

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.terminated`."""
        low = state["root_positions"][:, 2] < _LOWEST_M
        return low | (_distance(state) > _FURTHEST_M)

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        return {
            f"below {_LOWEST_M} m": state["root_positions"][:, 2] < _LOWEST_M,
            f"more than {_FURTHEST_M:.0f} m away": _distance(state) > _FURTHEST_M,
        }

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        left = self.max_episode_steps - state["episode_time"] / self.dt
        after = torch.where(self.terminated(state, episode_state), left * _ENDED_M, 0.0)
        return -(_distance(state) + after) / self.max_episode_steps

    def sparse_reward(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.sparse_reward`: one point for each step within 0.2 m of the target."""
        return (_distance(state) < -self.fitness_solved).float()


def _distance(state: State) -> Tensor:
    way = state["target_root_positions"] - state["root_positions"]
    distance: Tensor = torch.linalg.vector_norm(way, dim=1)
    return distance


TASK = Quadcopter()

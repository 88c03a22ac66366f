"""Ball balance: see `BallBalance`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.mjcf import load_xml
from eureka_agent.tasks.task import State, StateSpec, StateVariable

_BALL_RADIUS_M = 0.1
_TRAY_HEIGHT_M = 0.5591169
_MIN_BALL_HEIGHT_M = 1.5 * _BALL_RADIUS_M
_TARGET_STEP_RAD = 0.2
"""A full action moves a knee's target by this much: Isaac Gym's 20 rad/s for 0.01 s."""
_KNEE_RANGE_RAD = (math.radians(-70), math.radians(90))
_KNEES = [1, 3, 5]
_JOINT_NAMES = tuple(f"{part}_leg_joint{leg}" for leg in range(3) for part in ("upper", "lower"))

_STATE = StateSpec(
    variables=(
        StateVariable(
            "ball_positions", (3,), "m", "world", "position of the ball's centre", "position"
        ),
        StateVariable(
            "ball_linvels", (3,), "m/s", "world", "linear velocity of the ball", "linear_velocity"
        ),
        StateVariable(
            "tray_positions", (3,), "m", "world", "position of the tray's centre", "position"
        ),
        StateVariable(
            name="dof_positions",
            shape=(6,),
            unit="rad",
            frame="-",
            meaning=(
                "angles of the leg joints, 0 in the start pose; the lower ones are driven, positive"
                " lifts the tray"
            ),
            kind="joint_positions",
            elements=_JOINT_NAMES,
        ),
        StateVariable(
            name="dof_velocities",
            shape=(6,),
            unit="rad/s",
            frame="-",
            meaning="angular velocities of the leg joints",
            kind="joint_velocities",
            elements=_JOINT_NAMES,
        ),
        StateVariable(
            name="sensor_forces",
            shape=(3, 3),
            unit="N",
            frame="tray",
            meaning=(
                "force (x, y, z) in the load cells that carry the tray's plate, the total in each"
                " of the 3 rows"
            ),
            kind="force",
        ),
        StateVariable(
            name="sensor_torques",
            shape=(3, 3),
            unit="N m",
            frame="tray",
            meaning=(
                "torque (x, y, z) that carries the tray's plate, about each of 3 points 0.4 m from"
                " its centre, each in axes turned by 120° from the one before"
            ),
            kind="force",
        ),
    ),
    constants={"ball_radius": _BALL_RADIUS_M, "tray_height": _TRAY_HEIGHT_M},
)

# Catching and centring the ball takes a fraction of a second, so the discount's horizon is 0.2 s.
# Exploration noise of the default size would throw the ball off the tray.
_QUICK = TrainingBudget(
    num_envs=64,
    environment_steps=400_000,
    horizon=128,
    discount=0.95,
    gae_lambda=0.98,
    initial_std=0.3,
)
BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": _QUICK,
    "normal": replace(_QUICK, num_envs=128, environment_steps=2_000_000),
    "paper": replace(
        _QUICK, num_envs=1024, environment_steps=10_000_000, horizon=32, gae_lambda=0.95
    ),
}


class BallBalance(MujocoTask):
    """Keep a falling ball on a tray that three legs with driven knees carry.

    Each leg is hinged to the tray (radius 0.5 m), bent at a driven knee, and its foot is held in
    place on the floor like a ball joint, so that the three knees set the tray's height and tilt.
    Control and physics run at 100 Hz. Reproduces Isaac Gym's `BallBalance` as Eureka uses it, with
    its names.

    **Action** (3): each entry in [-1, 1] moves the target angle of one knee (`lower_leg0`,
    `lower_leg1`, `lower_leg2`) by up to 0.2 rad; targets stay in [-70°, 90°]. Positive stretches
    the leg and lifts its side.

    **Observation** (15)

    =====  ==================================  =====
    0-2    angles of the knees                 rad
    3-5    angular velocities of the knees     rad/s
    6-8    position of the ball                m
    9-11   linear velocity of the ball         m/s
    12-14  target angles of the knees          rad
    =====  ==================================  =====

    **State that a reward may read**: `ball_positions`, `ball_linvels`, `tray_positions`,
    `dof_positions`, `dof_velocities` (upper and lower joint of each leg), `sensor_forces`,
    `sensor_torques` (0 until the first step), and the constants `ball_radius` and `tray_height` (of
    the tray's centre at the start), both in m.

    **Start**: legs and tray at rest in the start pose; the ball anywhere up to 0.3 m from the
    middle, 1 to 1.5 m above the floor, falling at 2 m/s and moving towards the middle: the further
    out, the faster, up to 2 m/s.

    **End**: the ball's centre is less than 1.5 ball radii (0.15 m) above the floor, or after 500
    steps.

    **Fitness**: the length of the episode in steps; 500, a whole episode, is solved. Eureka,
    appendix B, measures the same.

    **Differences from Isaac Gym**: the model is our own, with its dimensions and masses. Knee
    servos have a stiffness of 300 N m/rad and a damping of 8 N m s/rad (there 4000 and 100, which
    needs more physics steps). There the ball starts up to 0.5 m out, 1 to 2 m high, at 5 m/s in
    both directions, which no policy can always catch. The load cells carry the plate that the ball
    rolls on; there the tray's rigid body has the sensors. Legs do not collide.

    **Source**: Makoviychuk et al. 2021 (Isaac Gym); Ma et al. 2023 (Eureka).
    """

    name = "ball_balance"
    description = "keep the ball on the table top without falling"
    aliases = ("ball balance", "balance the ball", "balance the ball on the tray")
    state_spec = _STATE
    frame_skip = 1
    max_episode_steps = 500
    fitness_unit = "steps"
    fitness_solved = 500.0
    fitness_meaning = "length of the episode in environment steps, at most 500"
    notes = (
        "z is up. The ball (radius 0.1 m, 0.84 kg) starts up to 0.3 m from the middle, 1 to 1.5 m"
        " above the floor, and falls at 2 m/s while it moves towards the middle. The tray is a disc"
        " of radius 0.5 m and 1.5 kg, 0.56 m above the floor at the start, so that a resting ball's"
        " centre is about 0.67 m high. Three legs carry it, 120 degrees apart, with their feet held"
        " in place; stretching a knee lifts that side of the tray. A full action moves a knee's"
        " target by 0.2 rad in a step of 0.01 s, which throws the ball: calm knees keep it."
    )
    action_names = ("lower_leg0", "lower_leg1", "lower_leg2")
    observation_size = 15

    def build(self) -> mujoco.MjSpec:
        """See `MujocoTask.build`."""
        return load_xml(Path(__file__).with_name("ball_balance.xml"))

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        distance = random.uniform(0.0, 0.3)
        direction = random.uniform(-math.pi, math.pi)
        outwards = torch.stack((direction.cos(), direction.sin()), dim=1)
        speed = distance / 0.3 * random.uniform(0.0, 2.0)
        qpos = torch.as_tensor(self.model.qpos0, dtype=torch.float32).repeat(random.n, 1)
        qpos[:, 13:15] = distance[:, None] * outwards
        qpos[:, 15] = random.uniform(1.0, 1.5)
        qvel = torch.zeros(random.n, self.model.nv)
        qvel[:, 12:14] = -speed[:, None] * outwards
        qvel[:, 14] = -2.0
        return InitialState(
            qpos=qpos, qvel=qvel, episode_state={"targets": torch.zeros(random.n, 3)}
        )

    def control(self, action: Tensor, episode_state: EpisodeState) -> Tensor:
        """Move the knees' targets by up to 0.2 rad."""
        return (episode_state["targets"] + _TARGET_STEP_RAD * action).clamp(*_KNEE_RANGE_RAD)

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.update_episode_state`."""
        return {"targets": physics.ctrl}

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `MujocoTask.state`."""
        return {
            "ball_positions": physics.sensor("ball_position"),
            "ball_linvels": physics.sensor("ball_linear_velocity"),
            "tray_positions": physics.sensor("tray_position"),
            "dof_positions": physics.qpos[:, 7:13],
            "dof_velocities": physics.qvel[:, 6:12],
            "sensor_forces": torch.stack([physics.sensor("sensor_force")] * 3, dim=1),
            "sensor_torques": torch.stack(
                [physics.sensor(f"sensor_torque{i}") for i in range(3)], dim=1
            ),
        }

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        return torch.cat(
            (
                state["dof_positions"][:, _KNEES],
                state["dof_velocities"][:, _KNEES],
                state["ball_positions"],
                state["ball_linvels"],
                episode_state["targets"],
            ),
            dim=1,
        )

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.terminated`."""
        return state["ball_positions"][:, 2] < _MIN_BALL_HEIGHT_M

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        fallen = state["ball_positions"][:, 2] < _MIN_BALL_HEIGHT_M
        return {f"ball off the tray, below {_MIN_BALL_HEIGHT_M:.2f} m": fallen}

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        return torch.ones_like(state["ball_positions"][:, 2])


TASK = BallBalance()

"""Pen spinning with a Shadow hand (Eureka's flagship task).

## Scene
A Shadow Dexterous Hand lies palm up, its fingers along the world's -y; a pen of 20 cm (a capsule,
radius 8 mm) lies across the fingers. Hand and pen are those of gymnasium-robotics
(`hand/manipulate_pen.xml`), OpenAI's model, from which Isaac Gym's comes too. The pen is to turn
counter-clockwise about the vertical, seen from above, as far and as often as it can without leaving
the hand. 125 Hz physics, 25 Hz control, 10 s.

## Actions: 20, each in [-1, 1]
Targets of position servos over their full range, smoothed: `target = 0.3 * new + 0.7 * old`.

| joints | what | range (rad) |
|---|---|---|
| WRJ1, WRJ0 | wrist: sideways, bend | -0.489..0.14, -0.698..0.489 |
| FFJ3, MFJ3, RFJ3, LFJ3 | fingers (first, middle, ring, little): sideways | -0.349..0.349 |
| FFJ2, MFJ2, RFJ2, LFJ2 | fingers: bend of the knuckle | 0..1.571 |
| FFJ1, MFJ1, RFJ1, LFJ1 | fingers: bend of the middle joint; the outermost, J0, follows by a tendon
| 0..1.571 |
| LFJ4 | little finger: bend of its metacarpal | 0..0.785 |
| THJ4 | thumb: turn of its base | -1.047..1.047 |
| THJ3, THJ2 | thumb: lift, swing | 0..1.222, -0.209..0.209 |
| THJ1, THJ0 | thumb: swing and bend of the outer joints | -0.524..0.524, -1.571..0 |

## Observation: 107
| entries | what | unit |
|---|---|---|
| 24, 24 | joint angles; joint velocities x 0.2 | rad; rad/s |
| 3, 3 | pen's centre from the goal position x 10; its velocity | m; m/s |
| 3, 3 | pen's axis; its rate of change x 0.2 | -; 1/s |
| 3, 3, 1 | goal's axis; cross and dot product of the pen's axis with it | - |
| 15 | fingertips from the pen's centre x 10 | m |
| 5 | force on each fingertip's pad, at most 5 | N |
| 20 | smoothed targets, scaled to [-1, 1] | - |

## Start
Drawn from a bank of settled states: the pen lies in the slightly curled hand, within about 0.5 rad
of the world's x and at rest. The first goal is 30 degrees on from where the pen points.

## End
The pen is dropped (its centre is more than 12 cm from the hand's centre, or below 10 cm), or 10 s
are over.

## Fitness: waypoints
One for each goal that the pen's axis comes within 0.2 rad of. The next goal lies 30 degrees further
on and appears with the next step. Goals never go back, so each is counted once, and wiggling earns
nothing; a pen that jumps past a goal has to come back to it. 12 waypoints are a full turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks import rotations
from eureka_agent.tasks.task import State, StateSpec, StateVariable

from . import isaac_gym, waypoints
from .scene import (
    ACTUATED_JOINTS,
    FINGERTIPS,
    HAND_CENTRE,
    HAND_JOINTS,
    Bank,
    build_scene,
    settled_starts,
)

_SMOOTHING = 0.3  # share of the new target
_DROP_DISTANCE_M = 0.12
_DROP_HEIGHT_M = 0.10
_BANK_DRAWS = 256

_SPEC = StateSpec(
    variables=(
        StateVariable("object_pos", (3,), "m", "world", "centre of the pen", "position"),
        StateVariable(
            "object_rot",
            (4,),
            "-",
            "world",
            "orientation of the pen; its axis is its z",
            "quaternion_xyzw",
        ),
        StateVariable(
            "object_linvel", (3,), "m/s", "world", "velocity of the pen's centre", "linear_velocity"
        ),
        StateVariable(
            "object_angvel",
            (3,),
            "rad/s",
            "world",
            "angular velocity of the pen",
            "angular_velocity",
        ),
        StateVariable(
            "object_axis", (3,), "-", "world", "direction that the pen points in", "unit_vector"
        ),
        StateVariable(
            "palm_to_object",
            (3,),
            "m",
            "palm",
            "the pen's centre seen from the palm's",
            elements=("to the thumb's side", "out of the back", "to the fingertips"),
        ),
        StateVariable(
            "goal_pos",
            (3,),
            "m",
            "world",
            "where the pen's centre belongs",
            "position",
            goal_for="object_pos",
        ),
        StateVariable(
            "goal_rot",
            (4,),
            "-",
            "world",
            "orientation nearest to the pen's own that points along goal_axis",
            "quaternion_xyzw",
            goal_for="object_rot",
        ),
        StateVariable(
            "goal_axis",
            (3,),
            "-",
            "world",
            "horizontal direction that the pen is to point in; once reached it moves on,"
            " counter-clockwise",
            "unit_vector",
            goal_for="object_axis",
        ),
        StateVariable(
            "fingertip_pos",
            (5, 3),
            "m",
            "world",
            "fingertips: first, middle, ring, little, thumb",
            "position",
        ),
        StateVariable(
            "fingertip_forces",
            (5,),
            "N",
            "-",
            "normal force on the fingertips' pads",
            "force",
            elements=FINGERTIPS,
        ),
        StateVariable(
            "shadow_hand_dof_pos",
            (24,),
            "rad",
            "-",
            "joint angles",
            "joint_positions",
            elements=HAND_JOINTS,
        ),
        StateVariable(
            "shadow_hand_dof_vel",
            (24,),
            "rad/s",
            "-",
            "joint velocities",
            "joint_velocities",
            elements=HAND_JOINTS,
        ),
    ),
    constants={"success_tolerance": waypoints.TOLERANCE_RAD, "fall_dist": _DROP_DISTANCE_M},
    unlisted=isaac_gym.UNLISTED,
)


BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": TrainingBudget(num_envs=64, environment_steps=160_000, evaluation_episodes=32),
    "normal": TrainingBudget(
        num_envs=256, environment_steps=2_000_000, horizon=32, hidden=(256, 128), initial_std=0.6
    ),
    "paper": TrainingBudget(  # as many environments as Eureka's ShadowHandSpin
        num_envs=16_384,
        environment_steps=500_000_000,
        horizon=8,
        hidden=(512, 256, 128),
        learning_rate=5e-4,
    ),
}


class PenSpinning(MujocoTask):
    """Spin a pen with a Shadow hand; the module's docstring is the datasheet.

    The state has the names of Isaac Gym's ShadowHand and Eureka's ShadowHandSpin.
    """

    name = "pen_spinning"
    description = (
        "make the shadow hand spin the pen counter-clockwise about the vertical without dropping it"
    )
    aliases = (
        "shadow_hand_spin",
        "pen spin",
        "spin the pen",
        "spin a pen",
        "make the hand spin a pen",
    )
    state_spec = _SPEC
    frame_skip = 5
    max_episode_steps = 250
    fitness_unit = "waypoints"
    fitness_solved = 24.0  # two turns in 10 s
    fitness_meaning = (
        "number of waypoints reached in an episode of 10 s, 30 degrees of turn each: the pen's axis"
        " comes within 0.2 rad of goal_axis, which then moves on; 12 are a full turn"
    )
    notes = (
        "z is up. The hand lies palm up, its fingers along -y, the thumb at -x. The pen is a"
        " capsule of 20 cm, radius 8 mm, 42 g; it starts at rest across the slightly curled fingers"
        " (knuckles and middle joints bent by about 0.35 rad), within about 0.5 rad of the x axis"
        " and about 2 cm from goal_pos, held by nothing but its weight. Counter-clockwise seen from"
        " above is a positive angular velocity about z. The first goal is 30 degrees on. Servos"
        " follow 0.3 of each new target per step, so a movement of the fingers takes about 0.2 s."
        " The pen is dropped when its centre is 12 cm from goal_pos or below 10 cm."
    )
    action_names = ACTUATED_JOINTS
    observation_size = 107

    def build(self) -> mujoco.MjSpec:
        """Return hand and pen; see `scene.build_scene`."""
        return build_scene()

    @cached_property
    def bank(self) -> Bank:
        """The settled initial states."""
        return settled_starts(self.model, _BANK_DRAWS)

    # ------------------------------------------------------------------ an episode
    def initial_state(self, random: Random) -> InitialState:
        """Draw from the bank."""
        chosen = random.integers(len(self.bank.qpos))
        qpos, ctrl = self.bank.qpos[chosen], self.bank.ctrl[chosen]
        axis = _axis(qpos[:, -4:])
        episode_state = {
            "target": ctrl,
            "goal_heading": waypoints.heading_of(axis) + waypoints.STEP_RAD,
            "reached": torch.zeros(random.n, dtype=torch.bool),
            "axis": axis,
            "turns": torch.zeros(random.n),
        }
        return InitialState(
            qpos=qpos, qvel=self.bank.qvel[chosen], ctrl=ctrl, episode_state=episode_state
        )

    def control(self, action: Tensor, episode_state: EpisodeState) -> Tensor:
        """Move the servo targets part of the way to those of the action."""
        return (
            _SMOOTHING * super().control(action, episode_state)
            + (1.0 - _SMOOTHING) * episode_state["target"]
        )

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """Keep the servo targets, and advance the goals that were reached in the last step."""
        axis = _axis(physics.sensor("object_quaternion"))
        goal_heading = episode_state["goal_heading"] + waypoints.STEP_RAD * episode_state["reached"]
        return {
            "target": physics.ctrl,
            "goal_heading": goal_heading,
            "reached": waypoints.is_reached(axis, waypoints.axis_at(goal_heading)),
            "axis": axis,
            "turns": waypoints.turns(episode_state["axis"], axis),
        }

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `state_spec`."""
        position, quat = physics.sensor("object_position"), physics.sensor("object_quaternion")
        axis, goal_axis = _axis(quat), waypoints.axis_at(episode_state["goal_heading"])
        tips = [physics.sensor(f"robot0:S_{finger}tip_position") for finger in FINGERTIPS]
        return {
            "object_pos": position,
            "object_rot": rotations.to_xyzw(quat),
            "object_linvel": physics.sensor("object_linear_velocity"),
            "object_angvel": physics.sensor("object_angular_velocity"),
            "object_axis": axis,
            "palm_to_object": rotations.rotate_inverse(
                physics.sensor("palm_quaternion"), position - physics.sensor("palm_position")
            ),
            "goal_pos": torch.tensor(HAND_CENTRE, device=position.device).expand_as(position),
            "goal_rot": rotations.to_xyzw(waypoints.nearest_orientation(quat, axis, goal_axis)),
            "goal_axis": goal_axis,
            "fingertip_pos": torch.stack(tips, dim=1),
            "fingertip_forces": torch.cat(
                [physics.sensor(f"{finger}_touch") for finger in FINGERTIPS], dim=1
            ),
            "shadow_hand_dof_pos": physics.qpos[:, : len(HAND_JOINTS)],
            "shadow_hand_dof_vel": physics.qvel[:, : len(HAND_JOINTS)],
        }

    def unlisted_state(
        self, name: str, physics: Physics, episode_state: EpisodeState, state: State
    ) -> Tensor:
        """See `isaac_gym.UNLISTED`."""
        return isaac_gym.read(name, physics, state)

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """`(num_envs, 107)`; see the module's table."""
        low, high = (bound.to(episode_state["target"].device) for bound in self._control_range)
        axis, goal_axis = state["object_axis"], state["goal_axis"]
        parts = (
            state["shadow_hand_dof_pos"],
            state["shadow_hand_dof_vel"] * 0.2,
            (state["object_pos"] - state["goal_pos"]) * 10.0,
            state["object_linvel"],
            axis,
            torch.linalg.cross(state["object_angvel"], axis) * 0.2,
            goal_axis,
            torch.linalg.cross(axis, goal_axis),
            (axis * goal_axis).sum(dim=1, keepdim=True),
            (state["fingertip_pos"] - state["object_pos"][:, None]).flatten(1) * 10.0,
            state["fingertip_forces"].clamp(max=5.0),
            2.0 * (episode_state["target"] - low) / (high - low) - 1.0,
        )
        return torch.cat(parts, dim=1)

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """The pen is dropped."""
        position = state["object_pos"]
        too_far: Tensor = (position - state["goal_pos"]).norm(dim=1) > _DROP_DISTANCE_M
        return too_far | (position[:, 2] < _DROP_HEIGHT_M)

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        position = state["object_pos"]
        away = (position - state["goal_pos"]).norm(dim=1)
        return {
            f"pen below {_DROP_HEIGHT_M:.2f} m": position[:, 2] < _DROP_HEIGHT_M,
            f"pen more than {_DROP_DISTANCE_M:.2f} m from the hand": away > _DROP_DISTANCE_M,
        }

    # ------------------------------------------------------------------ success
    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """1 where a waypoint was reached."""
        return episode_state["reached"].float()

    def measures(self, state: State, episode_state: EpisodeState) -> dict[str, Tensor]:
        """Return the signed turns about the vertical, and whether the pen was dropped."""
        return {
            "rotations": episode_state["turns"],
            "dropped": self.terminated(state, episode_state).float(),
        }


def _axis(quat: Tensor) -> Tensor:
    """Return the pen's direction `(…, 3)`, its own z axis, from its orientation `(…, 4)`."""
    return rotations.rotate(quat, torch.tensor([0.0, 0.0, 1.0], device=quat.device))


TASK = PenSpinning()

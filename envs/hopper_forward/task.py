"""Hopper forward: see `HopperForward`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import mujoco
import torch
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.gymnasium import GymnasiumReading
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import EpisodeState, InitialState, Physics, Random
from eureka_agent.tasks.mjcf import add_frame_sensors, add_touch_sensor, load_package_xml
from eureka_agent.tasks.task import State, StateSpec, StateVariable

_MIN_HEIGHT_M = 0.7
_MAX_PITCH_RAD = 0.2
_MAX_STATE = 100.0
_JOINT_NAMES = ("thigh_joint", "leg_joint", "foot_joint")

_STATE = StateSpec(
    variables=(
        StateVariable(
            "torso_position",
            (3,),
            "m",
            "world",
            "position of the torso; x is forward, z is up",
            "position",
        ),
        StateVariable(
            "torso_velocity",
            (3,),
            "m/s",
            "world",
            "linear velocity of the torso",
            "linear_velocity",
        ),
        StateVariable(
            "torso_pitch",
            (),
            "rad",
            "world",
            "lean of the torso, 0 upright, positive forward",
            "angle",
        ),
        StateVariable(
            "torso_pitch_velocity", (), "rad/s", "world", "rate of the torso's lean", "speed"
        ),
        StateVariable(
            name="joint_positions",
            shape=(3,),
            unit="rad",
            frame="-",
            meaning="angles of the joints, 0 in the stretched start pose",
            kind="joint_positions",
            elements=_JOINT_NAMES,
        ),
        StateVariable(
            name="joint_velocities",
            shape=(3,),
            unit="rad/s",
            frame="-",
            meaning="angular velocities of the joints",
            kind="joint_velocities",
            elements=_JOINT_NAMES,
        ),
        StateVariable(
            "foot_position", (3,), "m", "world", "position of the middle of the foot", "position"
        ),
        StateVariable(
            "foot_contact_force",
            (),
            "N",
            "-",
            "sum of normal forces on the foot; 0 in flight",
            "force",
        ),
    ),
    constants={"dt": 0.008},
)

_READING = GymnasiumReading(
    "Hopper-v5",
    {
        "torso_position": "data.body('torso').xpos",
        "torso_velocity": "linear_velocity(data, 'torso')",
        "torso_pitch": "data.qpos[2]",
        "torso_pitch_velocity": "data.qvel[2]",
        "joint_positions": "data.qpos[3:]",
        "joint_velocities": "data.qvel[3:]",
        "foot_position": "data.geom('foot_geom').xpos",
        "foot_contact_force": "contact_force(env, 'foot')",
        "obs_buf": "observation",
    },
    dt_s=0.008,
)

# At 125 Hz a fall shows only after about a second, which a discount of 0.99 would hardly count, and
# a rollout of 32 steps does not contain it: docs/search.md has the measurement.
_QUICK = TrainingBudget(
    num_envs=16, environment_steps=400_000, horizon=128, discount=0.995, gae_lambda=0.98
)
BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": _QUICK,
    "normal": replace(_QUICK, num_envs=32, environment_steps=1_000_000),
    "paper": replace(
        _QUICK, num_envs=1024, environment_steps=20_000_000, horizon=32, gae_lambda=0.95
    ),
}


class HopperForward(MujocoTask):
    """Make a one-legged robot that moves in a plane hop forward as fast as it can without falling.

    Gymnasium's `Hopper-v5`: torso, thigh, leg and foot, 15.8 kg, in the xz-plane. Control runs at
    125 Hz, four physics steps each.

    **Action** (3): `thigh_joint`, `leg_joint`, `foot_joint`; [-1, 1] is [-200, 200] N m.

    **Observation** (11)

    ====  =======================================================  =====
    0     height of the torso                                      m
    1     lean of the torso, positive forward                      rad
    2-4   angles of thigh, leg and foot joint                      rad
    5-6   velocity of the torso, forward and up                    m/s
    7     rate of the torso's lean                                 rad/s
    8-10  angular velocities of thigh, leg and foot joint          rad/s
    ====  =======================================================  =====

    Velocities are clipped to [-10, 10].

    **State that a reward may read**: `torso_position`, `torso_velocity`, `torso_pitch`,
    `torso_pitch_velocity`, `joint_positions`, `joint_velocities`, `foot_position`,
    `foot_contact_force`, and the constant `dt`, the seconds per environment step.

    **Start**: standing stretched; positions and velocities are off by up to 0.005.

    **End**: the torso is not above 0.7 m, leans by 0.2 rad or more, or a joint angle or velocity
    leaves (-100, 100); or after 1000 steps (8 s).

    **Fitness**: mean forward speed in m/s over the whole 8 s, fallen or not: the distance that the
    torso moved forward, divided by 8 s. 2 m/s, a return of about 3000 in Gymnasium, is solved.

    **Differences from Gymnasium**: the integrator is implicitfast instead of RK4, 3 to 4 times
    faster per step.

    **Source**: Erez et al. 2012; Towers et al. 2024 (Gymnasium, `hopper.xml` is read from the
    installed package).
    """

    name = "hopper_forward"
    description = "make the one-legged hopper hop forward as fast as possible without falling"
    aliases: tuple[str, ...] = ("hopper", "make the hopper hop forward", "Hopper-v5", "Hopper-v4")
    state_spec = _STATE
    frame_skip = 4
    max_episode_steps = 1000
    fitness_unit = "m/s"
    fitness_solved = 2.0
    fitness_meaning = (
        "mean forward speed in m/s over the whole 8 s, whether it fell or not: the distance that"
        " the torso moved forward, divided by 8 s"
    )
    notes = (
        "x is forward, z is up; it moves in the xz-plane alone. Torso, thigh, leg and foot weigh"
        " 3.7, 4.1, 2.8 and 5.3 kg (15.8 kg in all); thigh and leg are 0.45 and 0.5 m long, the"
        " foot is 0.39 m. It starts at rest and stretched, the torso 1.25 m high. Thigh and leg"
        " joint bend to -2.6 rad and not beyond 0; the foot's joint moves by 0.79 rad either way."
        " A full action is 200 N m at a joint."
    )
    action_names = _JOINT_NAMES
    observation_size = 11
    gymnasium_reading = _READING

    def build(self) -> mujoco.MjSpec:
        """See `MujocoTask.build`."""
        spec = load_package_xml("gymnasium", "envs/mujoco/assets/hopper.xml")
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        add_frame_sensors(spec, "torso", quantities=("position", "linear_velocity"))
        add_frame_sensors(spec, "foot_geom", "geom", quantities=("position",))
        add_touch_sensor(spec, "foot_contact", "foot", radius=0.4, position=(-0.065, 0.0, 0.1))
        return spec

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        qpos = torch.as_tensor(self.model.qpos0, dtype=torch.float32) + random.uniform(
            -0.005, 0.005, 6
        )
        qvel = random.uniform(-0.005, 0.005, 6)
        return InitialState(qpos=qpos, qvel=qvel, episode_state=_moved(qpos[:, 0], qpos[:, 0]))

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.update_episode_state`."""
        return _moved(episode_state["x"], physics.qpos[:, 0])

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `MujocoTask.state`."""
        return {
            "torso_position": physics.sensor("torso_position"),
            "torso_velocity": physics.sensor("torso_linear_velocity"),
            "torso_pitch": physics.qpos[:, 2],
            "torso_pitch_velocity": physics.qvel[:, 2],
            "joint_positions": physics.qpos[:, 3:],
            "joint_velocities": physics.qvel[:, 3:],
            "foot_position": physics.sensor("foot_geom_position"),
            "foot_contact_force": physics.sensor("foot_contact")[:, 0],
        }

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        position = torch.cat(
            (
                state["torso_position"][:, 2:],
                state["torso_pitch"][:, None],
                state["joint_positions"],
            ),
            dim=1,
        )
        return torch.cat((position, _velocities(state).clamp(-10.0, 10.0)), dim=1)

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.terminated`."""
        height, pitch = state["torso_position"][:, 2], state["torso_pitch"]
        standing = (height > _MIN_HEIGHT_M) & (pitch.abs() < _MAX_PITCH_RAD)
        moderate = (
            torch.cat((state["joint_positions"], _velocities(state)), dim=1).abs() < _MAX_STATE
        )
        return ~(standing & moderate.all(dim=1))

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        numbers = torch.cat((state["joint_positions"], _velocities(state)), dim=1)
        return {
            f"torso leans {_MAX_PITCH_RAD} rad or more": state["torso_pitch"].abs()
            >= _MAX_PITCH_RAD,
            f"torso at or below {_MIN_HEIGHT_M} m": state["torso_position"][:, 2] <= _MIN_HEIGHT_M,
            f"a joint angle or a velocity of {_MAX_STATE:.0f} or more": (
                numbers.abs() >= _MAX_STATE
            ).any(dim=1),
        }

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        return episode_state["progress"] / self.episode_length_s


def _moved(before: Tensor, now: Tensor) -> dict[str, Tensor]:
    """Return the episode state, `(num_envs,)` m each: the torso's x and its last change."""
    return {"x": now, "progress": now - before}


def _velocities(state: State) -> Tensor:
    """`(num_envs, 6)`: torso forward and up, its lean, the joints."""
    return torch.cat(
        (
            state["torso_velocity"][:, [0, 2]],
            state["torso_pitch_velocity"][:, None],
            state["joint_velocities"],
        ),
        dim=1,
    )


TASK = HopperForward()

"""Ant forward: see `AntForward`."""

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
from eureka_agent.tasks.mjcf import load_package_xml
from eureka_agent.tasks.task import State, StateSpec, StateVariable

from . import isaac_gym

_DT_S = 1 / 60
_FALLEN_HEIGHT_M = 0.31
_START_HEIGHT_M = 0.5
_TARGET = (1000.0, 0.0, 0.0)
_GEAR_N_M = 60.0
_JOINT_NAMES = tuple(f"{joint}_{leg}" for leg in range(1, 5) for joint in ("hip", "ankle"))

_STATE = StateSpec(
    variables=(
        StateVariable(
            name="root_states",
            shape=(13,),
            unit="m, -, m/s, rad/s",
            frame="world",
            meaning=(
                "the torso: position [0:3], orientation as a quaternion (x, y, z, w) [3:7], "
                "linear velocity [7:10], angular velocity [10:13]"
            ),
            elements=(
                *("x", "y", "z", "quat_x", "quat_y", "quat_z", "quat_w"),
                *("linvel_x", "linvel_y", "linvel_z", "angvel_x", "angvel_y", "angvel_z"),
            ),
        ),
        StateVariable(
            "dof_pos", (8,), "rad", "-", "joint angles", "joint_positions", elements=_JOINT_NAMES
        ),
        StateVariable(
            "dof_vel",
            (8,),
            "rad/s",
            "-",
            "joint angular velocities",
            "joint_velocities",
            elements=_JOINT_NAMES,
        ),
        StateVariable(
            "dof_limits_lower",
            (8,),
            "rad",
            "-",
            "lower ends of the joint ranges",
            elements=_JOINT_NAMES,
        ),
        StateVariable(
            "dof_limits_upper",
            (8,),
            "rad",
            "-",
            "upper ends of the joint ranges",
            elements=_JOINT_NAMES,
        ),
        StateVariable(
            name="targets",
            shape=(3,),
            unit="m",
            frame="world",
            meaning="the point to run to, 1 km ahead along x",
            kind="position",
        ),
        StateVariable(
            name="potentials",
            shape=(),
            unit="m/s",
            frame="world",
            meaning=(
                "minus the horizontal distance to the target, divided by dt; its change over a step"
                " is the speed towards the target"
            ),
        ),
        StateVariable(
            "up_vec",
            (3,),
            "-",
            "world",
            "the torso's own z axis; (0, 0, 1) is upright",
            "unit_vector",
        ),
        StateVariable(
            "heading_vec",
            (3,),
            "-",
            "world",
            "the torso's own x axis; (1, 0, 0) is ahead",
            "unit_vector",
        ),
    ),
    constants={"dt": _DT_S},
    unlisted=isaac_gym.UNLISTED,
)

BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": TrainingBudget(num_envs=256, environment_steps=500_000),
    "normal": TrainingBudget(
        num_envs=256, environment_steps=2_000_000, horizon=32, hidden=(128, 64)
    ),
    "paper": TrainingBudget(num_envs=2048, environment_steps=50_000_000, hidden=(256, 128, 64)),
}


class AntForward(MujocoTask):
    """Make a four-legged robot run forward as fast as it can.

    Gymnasium's ant: a torso on four legs with a hip and an ankle each. Control runs at 60 Hz, two
    physics steps each. Reproduces Isaac Gym's `Ant` as Eureka uses it, with its names.

    **Action** (8): `hip_1`, `ankle_1`, …, `hip_4`, `ankle_4`, in the order of `dof_pos`; [-1, 1] is
    [-60, 60] N m. Legs 1 to 4 are front left, front right, back left, back right.

    **Observation** (37)

    =====  ==========================================================  =====
    0      height of the torso                                         m
    1-3    linear velocity of the torso, in its own frame              m/s
    4-6    angular velocity of the torso, in its own frame             rad/s
    7-9    direction of the world's z axis in the torso's frame        -
    10-12  direction of the target in the torso's frame                -
    13-20  joint angles, -1 and 1 at the ends of their ranges          -
    21-28  angular velocities of the joints                            rad/s
    29-36  the last action                                             -
    =====  ==========================================================  =====

    **State that a reward may read**: `root_states` (its quaternion in Isaac Gym's order x, y, z,
    w), `dof_pos`, `dof_vel`, `dof_limits_lower`, `dof_limits_upper`, `targets`, `potentials` (with
    `prev_potentials`), `up_vec`, `heading_vec`, and the constant `dt`, the seconds per environment
    step. Published rewards may also read `vec_sensor_tensor`, `inv_start_rot`, `basis_vec0`,
    `basis_vec1` and `actions`, the same as `action` (`isaac_gym.py`).

    **Start**: the torso 0.5 m high, level and at rest, ankles bent by 30°; joints are off by up to
    0.2 rad (within their ranges) and 0.1 rad/s.

    **End**: the torso is below 0.31 m, or after 1000 steps (16.7 s).

    **Fitness**: mean speed towards the target in m/s over all 1000 steps, fallen or not: the
    distance that the torso moved forward, divided by 16.7 s. 3 m/s is solved. Eureka, appendix B,
    measures the same.

    **Differences from Gymnasium and Isaac Gym**: Gymnasium's model has ten times Isaac Gym's joint
    inertia and damping; its torque is 60 N m here (150 there, 15 in Isaac Gym), its integrator
    implicitfast at 120 Hz instead of RK4 at 100 Hz. `vec_sensor_tensor` holds the contacts alone;
    Isaac Gym's sensors add all other forces on the foot, such as its weight.

    **Source**: Schulman et al. 2016; Towers et al. 2024 (Gymnasium, `ant.xml` is read from the
    installed package); Makoviychuk et al. 2021 (Isaac Gym); Ma et al. 2023 (Eureka).
    """

    name = "ant_forward"
    description = "make the ant run forward as fast as possible"
    aliases = (
        "ant",
        "ant run forward",
        "make the ant run",
        "make the ant run forward",
        "Ant-v5",
        "Ant-v4",
        "Isaac-Ant-v0",
        "Isaac-Ant-Direct-v0",
    )
    state_spec = _STATE
    frame_skip = 2
    max_episode_steps = 1000
    fitness_unit = "m/s"
    fitness_solved = 3.0
    fitness_meaning = (
        "mean speed along x in m/s over all 1000 steps, whether it fell or not: the distance that"
        " the torso moved forward, divided by 16.7 s"
    )
    notes = (
        "x is forward, z is up. The torso is a ball of radius 0.25 m; four legs, front left, front"
        " right, back left and back right, each have a hip (swings the leg sideways about the"
        " vertical) and an ankle (bends the outer segment of 0.57 m). The whole ant weighs 0.9 kg."
        " It starts level and at rest, the torso 0.5 m high, hips straight and ankles bent by about"
        " 0.5 rad. A full action is 60 N m at a joint, strong for this weight: random actions throw"
        " it about."
    )
    action_names = _JOINT_NAMES
    observation_size = 37

    def build(self) -> mujoco.MjSpec:
        """See `MujocoTask.build`."""
        spec = load_package_xml("gymnasium", "envs/mujoco/assets/ant.xml")
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        spec.option.timestep = _DT_S / self.frame_skip
        for actuator in list(spec.actuators):
            spec.delete(actuator)
        for joint in _JOINT_NAMES:  # actuators in the order of the joints, as in Isaac Gym
            spec.add_actuator(
                name=joint,
                trntype=mujoco.mjtTrn.mjTRN_JOINT,
                target=joint,
                gear=[_GEAR_N_M, 0, 0, 0, 0, 0],
                ctrllimited=True,
                ctrlrange=[-1, 1],
            )
        isaac_gym.add_sensors(spec)
        return spec

    def initial_state(self, random: Random) -> InitialState:
        """See `MujocoTask.initial_state`."""
        lower, upper = self._joint_limits
        qpos = torch.zeros(random.n, self.model.nq)
        qpos[:, 2] = _START_HEIGHT_M
        qpos[:, 3] = 1.0
        middle = torch.zeros(8).clamp(lower, upper)  # hips straight, ankles as straight as possible
        qpos[:, 7:] = (middle + random.uniform(-0.2, 0.2, 8)).clamp(lower, upper)
        qvel = torch.cat((torch.zeros(random.n, 6), random.uniform(-0.1, 0.1, 8)), dim=1)
        return InitialState(qpos=qpos, qvel=qvel, episode_state=_moved(qpos[:, 0], qpos[:, 0]))

    def update_episode_state(self, physics: Physics, episode_state: EpisodeState) -> EpisodeState:
        """See `MujocoTask.update_episode_state`."""
        return _moved(episode_state["x"], physics.qpos[:, 0])

    def state(self, physics: Physics, episode_state: EpisodeState) -> dict[str, Tensor]:
        """See `MujocoTask.state`."""
        # The torso has a free joint, so sensors would repeat qpos and qvel at a high cost.
        position, quat, linear = physics.qpos[:, :3], physics.qpos[:, 3:7], physics.qvel[:, :3]
        axes = rotations.matrix(quat)
        # qvel has the angular velocity in the torso's frame.
        angular = (axes @ physics.qvel[:, 3:6, None])[:, :, 0]
        lower, upper, targets = (
            row.to(position.device).expand(physics.num_envs, -1)
            for row in (*self._joint_limits, self._target)
        )
        return {
            "root_states": torch.cat((position, quat[:, 1:], quat[:, :1], linear, angular), dim=1),
            "dof_pos": physics.qpos[:, 7:],
            "dof_vel": physics.qvel[:, 6:],
            "dof_limits_lower": lower,
            "dof_limits_upper": upper,
            "targets": targets,
            "potentials": -(targets - position)[:, :2].norm(dim=1) / _DT_S,
            "up_vec": axes[:, :, 2],
            "heading_vec": axes[:, :, 0],
        }

    def unlisted_state(
        self, name: str, physics: Physics, episode_state: EpisodeState, state: State
    ) -> Tensor:
        """See `isaac_gym.UNLISTED`."""
        return isaac_gym.read(name, physics, state)

    def observation(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.observation`."""
        root, up, heading = state["root_states"], state["up_vec"], state["heading_vec"]
        axes = torch.stack((heading, torch.linalg.cross(up, heading), up), dim=2)
        ahead = torch.nn.functional.normalize((state["targets"] - root[:, :3])[:, :2])
        in_world = torch.cat((root[:, 7:13], ahead, torch.zeros_like(ahead[:, :1])), dim=1).view(
            -1, 3, 3
        )
        linear, angular, target = (in_world @ axes).unbind(dim=1)
        lower, upper = state["dof_limits_lower"], state["dof_limits_upper"]
        scaled = (2.0 * state["dof_pos"] - upper - lower) / (upper - lower)
        parts = (
            root[:, 2:3],
            linear,
            angular,
            axes[:, 2],
            target,
            scaled,
            state["dof_vel"],
            state["action"],
        )
        return torch.cat(parts, dim=1)

    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.terminated`."""
        return state["root_states"][:, 2] < _FALLEN_HEIGHT_M

    def end_causes(self, state: State) -> Mapping[str, Tensor]:
        """See `Task.end_causes`."""
        fallen = state["root_states"][:, 2] < _FALLEN_HEIGHT_M
        return {f"torso below {_FALLEN_HEIGHT_M} m": fallen}

    def fitness(self, state: State, episode_state: EpisodeState) -> Tensor:
        """See `MujocoTask.fitness`."""
        return episode_state["progress"] / self.episode_length_s

    @cached_property
    def _joint_limits(self) -> tuple[Tensor, Tensor]:
        """Lower and upper ends of the ranges of the 8 joints, `(8,)` rad each."""
        lower, upper = torch.as_tensor(self.model.jnt_range[1:].T, dtype=torch.float32)
        return lower, upper

    @cached_property
    def _target(self) -> Tensor:
        return torch.tensor(_TARGET)


def _moved(before: Tensor, now: Tensor) -> dict[str, Tensor]:
    """Return the episode state, `(num_envs,)` m each: the torso's x and its last change."""
    return {"x": now, "progress": now - before}


TASK = AntForward()

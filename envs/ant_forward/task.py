"""Ant forward: see `AntForward`."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
from torch import Tensor

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.simulation.physics import EpisodeState, Physics
from eureka_agent.tasks.mjcf import load_package_xml
from eureka_agent.tasks.task import State

from ..isaac_runner import DT_S, IsaacRunner, runner_spec
from . import isaac_gym

_GEAR_N_M = 60.0
_JOINT_NAMES = tuple(f"{joint}_{leg}" for leg in range(1, 5) for joint in ("hip", "ankle"))

BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": TrainingBudget(num_envs=256, environment_steps=500_000),
    "normal": TrainingBudget(
        num_envs=256, environment_steps=2_000_000, horizon=32, hidden=(128, 64)
    ),
    "paper": TrainingBudget(num_envs=2048, environment_steps=50_000_000, hidden=(256, 128, 64)),
}


class AntForward(IsaacRunner):
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
    aliases: tuple[str, ...] = (
        "ant",
        "ant run forward",
        "make the ant run",
        "make the ant run forward",
        "Ant-v5",
        "Ant-v4",
        "Isaac-Ant-v0",
        "Isaac-Ant-Direct-v0",
    )
    state_spec = runner_spec(_JOINT_NAMES, isaac_gym.UNLISTED)
    frame_skip = 2
    fitness_solved = 3.0
    start_height_m = 0.5
    fallen_height_m = 0.31
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
        spec.option.timestep = DT_S / self.frame_skip
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

    def unlisted_state(
        self, name: str, physics: Physics, episode_state: EpisodeState, state: State
    ) -> Tensor:
        """See `isaac_gym.UNLISTED`."""
        return isaac_gym.read(name, physics, state)


TASK = AntForward()

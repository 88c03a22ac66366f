"""Humanoid forward: see `HumanoidForward`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import mujoco

from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.tasks.mjcf import load_package_xml

from ..isaac_runner import DT_S, IsaacRunner, runner_spec

_ARM = ("shoulder1", "shoulder2", "elbow")
_LEG = ("hip_x", "hip_z", "hip_y", "knee")
_JOINTS = (
    *("abdomen_z", "abdomen_y", "abdomen_x"),
    *(f"right_{joint}" for joint in _LEG),
    *(f"left_{joint}" for joint in _LEG),
    *(f"right_{joint}" for joint in _ARM),
    *(f"left_{joint}" for joint in _ARM),
)
_QUICK = TrainingBudget(
    num_envs=128, environment_steps=1_000_000, horizon=32, hidden=(128, 64), gae_lambda=0.98
)
BUDGETS: Mapping[BudgetName, TrainingBudget] = {
    "quick": _QUICK,
    "normal": replace(_QUICK, num_envs=256, environment_steps=5_000_000),
    "paper": replace(_QUICK, num_envs=2048, environment_steps=100_000_000, hidden=(400, 200, 100)),
}


class HumanoidForward(IsaacRunner):
    """Make a humanoid run forward as fast as it can.

    Gymnasium's humanoid: 42 kg, 17 joints. Control runs at 60 Hz, four physics steps each.
    Reproduces Isaac Gym's `Humanoid` as Eureka uses it, with its names.

    **Action** (17): the joints in the order of `dof_pos`; [-1, 1] is 40 N m at the abdomen and the
    hips, 120 N m at `hip_y`, 80 N m at the knees and 10 N m in the arms. **Observation** (64):
    height of the torso, its velocities, the world's z axis and the direction of the target in its
    own frame, joint angles within their ranges, joint velocities, the last action.

    **Start**: standing 1.4 m high at rest; joints off by up to 0.2 rad and 0.1 rad/s. **End**: the
    torso is below 0.8 m, or after 1000 steps (16.7 s). **Fitness**: mean speed along x in m/s over
    all 1000 steps, fallen or not (Eureka, appendix B); 3 m/s is solved.

    **Differences from Isaac Gym**: Gymnasium's model with 17 instead of 21 joints and its gears;
    implicitfast and Newton's solver at 240 Hz; forces of joints and feet are not observed.

    **Source**: Tassa et al. 2012; Makoviychuk et al. 2021; Ma et al. 2023; Towers et al. 2024
    (Gymnasium, `humanoid.xml`).
    """

    name = "humanoid_forward"
    description = "make the humanoid run forward as fast as possible"
    aliases = ("humanoid", "Humanoid-v5", "Humanoid-v4", "Isaac-Humanoid-v0")
    state_spec = runner_spec(_JOINTS)
    frame_skip, observation_size = 4, 64
    fitness_solved = 3.0
    start_height_m, fallen_height_m = 1.4, 0.8
    notes = (
        "x is forward, z is up. It weighs 42 kg; a leg weighs 9.3 kg, thigh and shin are about 0.4"
        " m long. It starts upright at rest, the torso's middle 1.4 m high, and falls within a"
        " second if it does nothing. hip_y swings a leg forward (negative) and backward, hip_x"
        " sideways, hip_z about the vertical; a knee bends from 0 to -2.8 rad."
    )
    action_names = _JOINTS

    def build(self) -> mujoco.MjSpec:
        """See `MujocoTask.build`."""
        spec = load_package_xml("gymnasium", "envs/mujoco/assets/humanoid.xml")
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        spec.option.timestep = DT_S / self.frame_skip
        spec.option.solver = mujoco.mjtSolver.mjSOL_NEWTON  # MuJoCo Warp has no PGS
        gears = {actuator.target: actuator.gear[0] for actuator in spec.actuators}
        for actuator in list(spec.actuators):
            spec.delete(actuator)
        for joint in _JOINTS:  # actuators in the order of the joints, as in Isaac Gym
            spec.add_actuator(
                name=joint,
                trntype=mujoco.mjtTrn.mjTRN_JOINT,
                target=joint,
                gear=[0.4 * gears[joint], 0, 0, 0, 0, 0],
                ctrllimited=True,
                ctrlrange=[-1, 1],
            )
        return spec


TASK = HumanoidForward()

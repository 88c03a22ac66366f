"""Unlisted variables of this task: what rewards for Isaac Gym's ShadowHand read, under its names.

Quaternions are (x, y, z, w). Makoviychuk et al. 2021, https://arxiv.org/abs/2108.10470
(IsaacGymEnvs, `shadow_hand.py`); Eureka's ShadowHandSpin has the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import mujoco
import torch
from torch import Tensor

from eureka_agent.simulation.physics import Physics
from eureka_agent.tasks import rotations
from eureka_agent.tasks.mjcf import contact_wrench
from eureka_agent.tasks.task import State, StateVariable

from .scene import ACTUATED_JOINTS, FINGERTIPS, HAND_JOINTS

_POSE = ("x", "y", "z", "quat_x", "quat_y", "quat_z", "quat_w")
_VELOCITY = ("linvel_x", "linvel_y", "linvel_z", "angvel_x", "angvel_y", "angvel_z")
_WRENCH = ("force_x", "force_y", "force_z", "torque_x", "torque_y", "torque_z")
_SERVOS = [HAND_JOINTS.index(name) for name in ACTUATED_JOINTS]

UNLISTED = (
    StateVariable(
        "actions",
        (20,),
        "-",
        "-",
        "the last action, same as action",
        "action",
        elements=ACTUATED_JOINTS,
    ),
    StateVariable(
        "object_pose", (7,), "m, -", "world", "object_pos and object_rot", elements=_POSE
    ),
    StateVariable("goal_pose", (7,), "m, -", "world", "goal_pos and goal_rot", elements=_POSE),
    StateVariable(
        "goal_states",
        (13,),
        "m, -, m/s, rad/s",
        "world",
        "goal_pose, then six zeros: the goal does not move",
        elements=(*_POSE, *_VELOCITY),
    ),
    StateVariable(
        "fingertip_state",
        (5, 13),
        "m, -, m/s, rad/s",
        "world",
        "of each fingertip (first, middle, ring, little, thumb): fingertip_pos, orientation, "
        "velocity of that point and angular velocity",
        elements=(*_POSE, *_VELOCITY),
    ),
    StateVariable(
        "vec_sensor_tensor",
        (30,),
        "N, N m",
        "fingertip",
        "force and torque of all contacts on each finger's outermost body, about its joint, in its"
        " own frame",
        "force",
        elements=tuple(f"{finger}_{entry}" for finger in FINGERTIPS for entry in _WRENCH),
    ),
    StateVariable(
        "dof_force_tensor",
        (24,),
        "N m",
        "-",
        "torques of the joints' servos; 0 for the joints J0 of the four fingers, which have none",
        "force",
        elements=HAND_JOINTS,
    ),
    StateVariable(
        "shadow_hand_dof_lower_limits",
        (24,),
        "rad",
        "-",
        "lower ends of the joint ranges",
        elements=HAND_JOINTS,
    ),
    StateVariable(
        "shadow_hand_dof_upper_limits",
        (24,),
        "rad",
        "-",
        "upper ends of the joint ranges",
        elements=HAND_JOINTS,
    ),
)


def read(name: str, physics: Physics, state: State) -> Tensor:
    """Return the variable `name` of `UNLISTED`, `(num_envs, *shape)`."""
    return _READERS[name](physics, state)


def _actions(physics: Physics, state: State) -> Tensor:
    return state["action"]


def _object_pose(physics: Physics, state: State) -> Tensor:
    return torch.cat((state["object_pos"], state["object_rot"]), dim=1)


def _goal_pose(physics: Physics, state: State) -> Tensor:
    return torch.cat((state["goal_pos"], state["goal_rot"]), dim=1)


def _goal_states(physics: Physics, state: State) -> Tensor:
    pose = _goal_pose(physics, state)
    return torch.cat((pose, torch.zeros_like(pose[:, :6])), dim=1)


def _fingertip_state(physics: Physics, state: State) -> Tensor:
    orientation = rotations.to_xyzw(_of_fingertips(physics, "quaternion"))
    linear = _of_fingertips(physics, "linear_velocity")
    angular = _of_fingertips(physics, "angular_velocity")
    return torch.cat((state["fingertip_pos"], orientation, linear, angular), dim=2)


def _vec_sensor(physics: Physics, state: State) -> Tensor:
    orientation = _of_fingertips(physics, "quaternion")
    tips = torch.tensor(_tips(physics.model), dtype=torch.float32, device=orientation.device)
    joints = state["fingertip_pos"] - rotations.rotate(orientation, tips)
    readings = torch.stack([physics.sensor(f"{finger}_contact") for finger in FINGERTIPS], dim=1)
    return contact_wrench(readings, joints, orientation).flatten(1)


def _tips(model: mujoco.MjModel) -> list[list[float]]:
    """Return each fingertip's position in the frame of its body, m."""
    return [model.site(f"robot0:S_{finger}tip").pos.tolist() for finger in FINGERTIPS]


def _dof_force(physics: Physics, state: State) -> Tensor:
    """Return the servos' torques `gain * (target - angle)`, within their range."""
    model, angles = physics.model, state["shadow_hand_dof_pos"]
    gain = torch.tensor(model.actuator_gainprm[:, 0], dtype=torch.float32, device=angles.device)
    low, high = torch.tensor(model.actuator_forcerange.T, dtype=torch.float32, device=angles.device)
    torque = (gain * (physics.ctrl - angles[:, _SERVOS])).clamp(low, high)
    servos = torch.tensor(_SERVOS, device=angles.device)
    return torch.zeros_like(angles).index_copy(1, servos, torque)


def _lower_limits(physics: Physics, state: State) -> Tensor:
    return _joint_ends(physics, 0)


def _upper_limits(physics: Physics, state: State) -> Tensor:
    return _joint_ends(physics, 1)


def _joint_ends(physics: Physics, end: int) -> Tensor:
    ends = physics.model.jnt_range[: len(HAND_JOINTS), end]
    return torch.tensor(ends, dtype=torch.float32, device=physics.device).expand(
        physics.num_envs, -1
    )


def _of_fingertips(physics: Physics, quantity: str) -> Tensor:
    """Return a sensor of all fingertips, `(num_envs, 5, …)`."""
    return torch.stack(
        [physics.sensor(f"robot0:S_{finger}tip_{quantity}") for finger in FINGERTIPS], dim=1
    )


_READERS: Mapping[str, Callable[[Physics, State], Tensor]] = {
    "actions": _actions,
    "object_pose": _object_pose,
    "goal_pose": _goal_pose,
    "goal_states": _goal_states,
    "fingertip_state": _fingertip_state,
    "vec_sensor_tensor": _vec_sensor,
    "dof_force_tensor": _dof_force,
    "shadow_hand_dof_lower_limits": _lower_limits,
    "shadow_hand_dof_upper_limits": _upper_limits,
}

"""What rewards for Isaac Gym's Ant read besides the state of this task, under that class's names.

Quaternions are (x, y, z, w). Makoviychuk et al. 2021, https://arxiv.org/abs/2108.10470
(IsaacGymEnvs, `ant.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import torch
from torch import Tensor

from eureka_agent import rotations
from eureka_agent.scene import add_contact_sensor, contact_wrench
from eureka_agent.task import Physics, StateVariable

_FEET = ("left_ankle_geom", "right_ankle_geom", "third_ankle_geom", "fourth_ankle_geom")
"""The feet of the legs 1 to 4: front left, front right, back left, back right."""
_WRENCH = ("force_x", "force_y", "force_z", "torque_x", "torque_y", "torque_z")
_CONSTANTS: Mapping[str, tuple[float, ...]] = {
    "inv_start_rot": (0.0, 0.0, 0.0, 1.0),
    "basis_vec0": (1.0, 0.0, 0.0),
    "basis_vec1": (0.0, 0.0, 1.0),
}

UNLISTED = (
    StateVariable(
        "vec_sensor_tensor",
        (24,),
        "N, N m",
        "foot",
        "force and torque of all contacts on each foot, about its ankle, in the foot's own frame",
        "force",
        elements=tuple(f"foot_{leg}_{entry}" for leg in range(1, 5) for entry in _WRENCH),
    ),
    StateVariable(
        "inv_start_rot",
        (4,),
        "-",
        "world",
        "inverse of the torso's orientation at the start: no turn",
    ),
    StateVariable("basis_vec0", (3,), "-", "torso", "the axis of the torso that heading_vec is in the world"),
    StateVariable("basis_vec1", (3,), "-", "torso", "the axis of the torso that up_vec is in the world"),
)


def add_sensors(spec: mujoco.MjSpec) -> None:
    """Add what `read` needs to the scene."""
    for foot in _FEET:
        add_contact_sensor(spec, f"{foot}_contact", foot, "geom")


def read(name: str, physics: Physics) -> Tensor:
    """Return the variable `name` of `UNLISTED`, `(num_envs, *shape)`."""
    if name == "vec_sensor_tensor":
        return torch.cat([_foot(physics, geom) for geom in _FEET], dim=1)
    return torch.tensor(_CONSTANTS[name], device=physics.device).expand(physics.num_envs, -1)


def _foot(physics: Physics, geom: str) -> Tensor:
    """Return `(num_envs, 6)`.

    Where the foot is follows from the joints: sensors of its frame would cost a third of a step.
    """
    model = physics.model
    foot = int(model.geom(geom).bodyid[0])
    leg = int(model.body_parentid[foot])
    position, orientation = physics.qpos[:, :3], physics.qpos[:, 3:7]
    for body in (leg, foot):
        offset = torch.tensor(model.body_pos[body], dtype=torch.float32, device=physics.device)
        position = position + rotations.rotate(orientation, offset)
        orientation = rotations.multiply(orientation, _turn(physics, int(model.body_jntadr[body])))
    return contact_wrench(physics.sensor(f"{geom}_contact"), position, orientation)


def _turn(physics: Physics, joint: int) -> Tensor:
    """What the hinge `joint` turns its body by, `(num_envs, 4)`."""
    axis = torch.tensor(physics.model.jnt_axis[joint], dtype=torch.float32, device=physics.device)
    return rotations.from_axis_angle(axis, physics.qpos[:, int(physics.model.jnt_qposadr[joint])])

"""Unlisted variables of this task: what rewards for Isaac Gym's Ant read, under its names.

Quaternions are (x, y, z, w). Makoviychuk et al. 2021, https://arxiv.org/abs/2108.10470
(IsaacGymEnvs, `ant.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mujoco
import torch
from torch import Tensor

from eureka_agent.simulation.physics import Physics
from eureka_agent.tasks import rotations
from eureka_agent.tasks.mjcf import add_contact_sensor, contact_wrench
from eureka_agent.tasks.task import State, StateVariable

_FEET = ("left_ankle_geom", "right_ankle_geom", "third_ankle_geom", "fourth_ankle_geom")
"""The feet of legs 1 to 4: front left, front right, back left, back right."""
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
    StateVariable(
        "basis_vec0", (3,), "-", "torso", "the axis of the torso that heading_vec is in the world"
    ),
    StateVariable(
        "basis_vec1", (3,), "-", "torso", "the axis of the torso that up_vec is in the world"
    ),
    StateVariable("actions", (8,), "-", "-", "the last action, same as action", "action"),
)


def add_sensors(spec: mujoco.MjSpec) -> None:
    """Add what `read` needs to the scene."""
    for foot in _FEET:
        add_contact_sensor(spec, f"{foot}_contact", foot, "geom")


def read(name: str, physics: Physics, state: State) -> Tensor:
    """Return the variable `name` of `UNLISTED`, `(num_envs, *shape)`."""
    if name == "actions":
        return state["action"]
    if name == "vec_sensor_tensor":
        return _feet(physics).flatten(1)
    return torch.tensor(_CONSTANTS[name], device=physics.device).expand(physics.num_envs, -1)


def _feet(physics: Physics) -> Tensor:
    """Return force and torque on each foot, `(num_envs, 4, 6)`.

    The poses of the feet are computed from the joints: sensors would cost a third of a step.
    """
    model = physics.model
    feet = [int(model.geom(name).bodyid[0]) for name in _FEET]
    legs = [int(model.body_parentid[foot]) for foot in feet]
    position, orientation = physics.qpos[:, None, :3], physics.qpos[:, None, 3:7]
    for bodies in (legs, feet):
        offset = torch.tensor(model.body_pos[bodies], dtype=torch.float32, device=physics.device)
        position = position + rotations.rotate(orientation, offset)
        orientation = rotations.multiply(
            orientation, _joint_rotations(physics, model.body_jntadr[bodies].tolist())
        )
    readings = torch.stack([physics.sensor(f"{name}_contact") for name in _FEET], dim=1)
    return contact_wrench(readings, position, orientation)


def _joint_rotations(physics: Physics, hinges: Sequence[int]) -> Tensor:
    """Return the rotation by each of the joints `hinges`, `(num_envs, hinges, 4)`."""
    model = physics.model
    axes = torch.tensor(model.jnt_axis[hinges], dtype=torch.float32, device=physics.device)
    return rotations.from_axis_angle(axes, physics.qpos[:, model.jnt_qposadr[hinges].tolist()])

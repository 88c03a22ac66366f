"""The poses of a MuJoCo model's bodies and its contacts, from joint positions."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.simulation.batched_env import BodyPoses

_MOST_CONTACTS = 16
"""Contacts that are kept of one moment."""


def body_poses(model: mujoco.MjModel, positions: Tensor) -> BodyPoses:
    """Compute poses and contacts; this does not advance the simulation.

    Args:
        model: The compiled model.
        positions: `(n, nq)`: joint positions.

    Returns:
        The poses of all bodies, the world's first.
    """
    data = mujoco.MjData(model)
    poses = np.empty((len(positions), model.nbody, 7), np.float32)
    contacts: list[NDArray[np.float32]] = []
    for moment, position in enumerate(positions.double().cpu().numpy()):
        data.qpos[:] = np.nan_to_num(position)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_collision(model, data)
        poses[moment, :, :3] = data.xpos
        poses[moment, :, 3:] = data.xquat
        contacts.append(data.contact.pos[:_MOST_CONTACTS].astype(np.float32))
    return BodyPoses(poses, tuple(contacts))

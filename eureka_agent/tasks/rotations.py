"""Rotations in batched torch.

Quaternions are unit and in MuJoCo's order (w, x, y, z) unless a name says xyzw, the order of Isaac
Gym and SciPy: convert at the edge with `to_xyzw` and `to_wxyz`. A quaternion of a body's frame
turns the body's vectors into the world's. All functions take any leading dimensions `(…)` and
broadcast them.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


def to_xyzw(quat: Tensor) -> Tensor:
    """Reorder `(…, 4)` from (w, x, y, z) to (x, y, z, w)."""
    return quat[..., [1, 2, 3, 0]]


def to_wxyz(quat_xyzw: Tensor) -> Tensor:
    """Reorder `(…, 4)` from (x, y, z, w) to (w, x, y, z)."""
    return quat_xyzw[..., [3, 0, 1, 2]]


def conjugate(quat: Tensor) -> Tensor:
    """Return the inverse rotation `(…, 4)`."""
    return torch.cat((quat[..., :1], -quat[..., 1:]), dim=-1)


def multiply(left: Tensor, right: Tensor) -> Tensor:
    """Return the rotation `(…, 4)` that does `right` first and then `left` (Hamilton's product)."""
    w1, v1, w2, v2 = left[..., :1], left[..., 1:], right[..., :1], right[..., 1:]
    w = w1 * w2 - (v1 * v2).sum(dim=-1, keepdim=True)
    v = w1 * v2 + w2 * v1 + _cross(v1, v2)
    return torch.cat((w, v), dim=-1)


def rotate(quat: Tensor, vector: Tensor) -> Tensor:
    """Rotate `vector (…, 3)` by `quat (…, 4)`: from the body's frame to the world's."""
    w, axis = quat[..., :1], quat[..., 1:]
    twice = 2.0 * _cross(axis, vector)
    return vector + w * twice + _cross(axis, twice)


def rotate_inverse(quat: Tensor, vector: Tensor) -> Tensor:
    """Rotate `vector (…, 3)` by the inverse of `quat (…, 4)`: from the world's to the body's."""
    return rotate(conjugate(quat), vector)


def matrix(quat: Tensor) -> Tensor:
    """Return rotation matrices `(…, 3, 3)` of unit quaternions `(…, 4)`, in the order w, x, y, z.

    The columns are the body's axes in the world's frame. To rotate several vectors by the same
    quaternion, a product with the matrix is cheaper than `rotate`, whose many small operations each
    have a fixed cost.
    """
    products = (quat[..., :, None] * quat[..., None, :]).flatten(-2)
    return (products @ _matrix_table().to(quat)).view(*quat.shape[:-1], 3, 3) + torch.eye(
        3, device=quat.device
    )


@cache
def _matrix_table() -> Tensor:
    """`(16, 9)`: the weight of each product of two quaternion entries in each matrix entry.

    The matrix is 1 + 2 w U + 2 U U, where U v is (x, y, z) × v. Apart from the diagonal's 1, each
    entry is the sum of two products, so its value does not depend on the order in which a matrix
    product adds.
    """
    axes = torch.eye(3)
    cross = torch.linalg.cross(axes[:, None], axes[None]).mT  # cross[k] @ v is axis k × v
    table = torch.zeros(4, 4, 3, 3)
    table[0, 1:] = 2.0 * cross
    table[1:, 1:] = 2.0 * cross[:, None] @ cross
    return table.view(16, 9)


def from_axis_angle(axis: Tensor, angle: Tensor) -> Tensor:
    """Return the rotation `(…, 4)` by `angle (…)` rad about the unit vector `axis (…, 3)`."""
    half = 0.5 * angle[..., None]
    vector = half.sin() * axis
    return torch.cat((half.cos().expand_as(vector[..., :1]), vector), dim=-1)


def rotation_angle(left: Tensor, right: Tensor) -> Tensor:
    """Return the angle `(…)` in [0, π] rad of the rotation between two orientations `(…, 4)`."""
    difference = multiply(left, conjugate(right))
    return 2.0 * torch.atan2(difference[..., 1:].norm(dim=-1), difference[..., 0].abs())


def roll_pitch_yaw(quat: Tensor) -> Tensor:
    """Return `(…, 3)` rad about the fixed x, y and z axes, in that order.

    These are the z-y'-x'' Tait-Bryan angles.
    """
    w, x, y, z = quat.unbind(dim=-1)
    roll = torch.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
    pitch = torch.asin((2.0 * (w * y - z * x)).clamp(-1.0, 1.0))
    yaw = torch.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    return torch.stack((roll, pitch, yaw), dim=-1)


def _cross(left: Tensor, right: Tensor) -> Tensor:
    """Cross product `(…, 3)` that, unlike `torch.linalg.cross`, broadcasts over dimensions."""
    x1, y1, z1 = left.unbind(dim=-1)
    x2, y2, z2 = right.unbind(dim=-1)
    return torch.stack((y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2), dim=-1)

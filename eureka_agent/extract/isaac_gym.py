"""Isaac Gym's helper functions, for rewards that use them without defining them.

Quaternions are (x, y, z, w) and of unit length, as in Isaac Gym. The functions are written from
their definitions. `header.py` copies those that a reward uses into its source, so each function
needs only torch. Leading dimensions of size 1 broadcast.
"""

from __future__ import annotations

import torch


def normalize(x: torch.Tensor, eps: float = 1e-9) -> torch.Tensor:
    """Vectors `(..., n)` at length 1."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return torch.div(x, length.clamp(min=eps))


def quat_unit(a: torch.Tensor) -> torch.Tensor:
    """Quaternions `(..., 4)` at length 1."""
    length = torch.linalg.vector_norm(a, dim=-1, keepdim=True)
    return torch.div(a, length.clamp(min=1e-9))


def quat_conjugate(a: torch.Tensor) -> torch.Tensor:
    """The inverse rotation `(..., 4)`."""
    return torch.cat((-a[..., :3], a[..., 3:]), dim=-1)


def quat_mul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The rotation `(..., 4)` that does `b` first and then `a`."""
    x1, y1, z1, w1 = a.unbind(dim=-1)
    x2, y2, z2, w2 = b.unbind(dim=-1)
    x = w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2
    y = w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2
    z = w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2
    w = w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2
    return torch.stack((x, y, z, w), dim=-1)


def quat_rotate(q: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Vectors `(..., 3)` turned by `q`: from the body's frame to the world's."""
    axis = q[..., :3]
    twice = 2.0 * torch.cross(axis, v, dim=-1)
    return v + q[..., 3:] * twice + torch.cross(axis, twice, dim=-1)


def quat_rotate_inverse(q: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Vectors `(..., 3)` turned by the inverse of `q`: from the world's frame to the body's."""
    axis = q[..., :3]
    twice = 2.0 * torch.cross(axis, v, dim=-1)
    return v - q[..., 3:] * twice + torch.cross(axis, twice, dim=-1)


def quat_apply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Vectors `b (..., 3)` turned by `a`."""
    axis = a[..., :3]
    twice = 2.0 * torch.cross(axis, b, dim=-1)
    return b + a[..., 3:] * twice + torch.cross(axis, twice, dim=-1)


def quat_from_angle_axis(angle: torch.Tensor, axis: torch.Tensor) -> torch.Tensor:
    """The rotation `(..., 4)` by `angle (...)` rad about `axis (..., 3)` of any length."""
    half = 0.5 * angle[..., None]
    unit = axis / torch.linalg.vector_norm(axis, dim=-1, keepdim=True).clamp(min=1e-9)
    vector = torch.sin(half) * unit
    return torch.cat((vector, torch.cos(half).expand_as(vector[..., :1])), dim=-1)


def quat_diff_rad(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The angle `(...)` in [0, pi] rad between two orientations."""
    x1, y1, z1, w1 = a.unbind(dim=-1)
    x2, y2, z2, w2 = b.unbind(dim=-1)
    x = x1 * w2 - w1 * x2 + z1 * y2 - y1 * z2
    y = y1 * w2 - w1 * y2 + x1 * z2 - z1 * x2
    z = z1 * w2 - w1 * z2 + y1 * x2 - x1 * y2
    sine = torch.linalg.vector_norm(torch.stack((x, y, z), dim=-1), dim=-1)
    return 2.0 * torch.asin(sine.clamp(max=1.0))


def get_euler_xyz(q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Roll, pitch and yaw `(...)`, in [0, 2 pi) rad: about the fixed x, y and z axes in order."""
    x, y, z, w = q.unbind(dim=-1)
    turn = 6.283185307179586
    roll = torch.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
    pitch = torch.asin((2.0 * (w * y - z * x)).clamp(-1.0, 1.0))
    yaw = torch.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    return roll % turn, pitch % turn, yaw % turn


def normalize_angle(x: torch.Tensor) -> torch.Tensor:
    """Angles in (-pi, pi] rad."""
    return torch.atan2(torch.sin(x), torch.cos(x))


def scale(x: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor) -> torch.Tensor:
    """From [-1, 1] to [lower, upper]."""
    return 0.5 * (x + 1.0) * (upper - lower) + lower


def unscale(x: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor) -> torch.Tensor:
    """From [lower, upper] to [-1, 1]."""
    return (2.0 * x - upper - lower) / (upper - lower)


def tensor_clamp(t: torch.Tensor, min_t: torch.Tensor, max_t: torch.Tensor) -> torch.Tensor:
    """Numbers between bounds of their own."""
    return torch.maximum(torch.minimum(t, max_t), min_t)

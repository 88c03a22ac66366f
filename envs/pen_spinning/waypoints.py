"""Goals 30 degrees apart about the vertical, and how far the pen has turned.

The pen's axis is the unit vector along it, `(…, 3)` in the world's frame. A heading is an angle
about the vertical in rad, counter-clockwise seen from above, 0 along the world's x. Steps and
tolerance are those of Eureka's pen spinning (Ma et al. 2024, https://arxiv.org/abs/2310.12931,
ShadowHandSpin: 0.1 rad, doubled for the pen).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from eureka_agent.tasks import rotations

STEP_RAD = math.radians(30.0)
TOLERANCE_RAD = 0.2
_LEVEL = 0.5  # cosine of 60 degrees


def heading_of(axis: Tensor) -> Tensor:
    """Return the heading `(…)` of `axis (…, 3)` in [-π, π]."""
    return torch.atan2(axis[..., 1], axis[..., 0])


def axis_at(heading: Tensor) -> Tensor:
    """Return the horizontal unit vector `(…, 3)` at `heading (…)`."""
    return torch.stack((heading.cos(), heading.sin(), torch.zeros_like(heading)), dim=-1)


def is_reached(axis: Tensor, goal: Tensor) -> Tensor:
    """Return `(…)` bool: the angle between two unit vectors `(…, 3)` is below the tolerance."""
    return (axis * goal).sum(dim=-1) > math.cos(TOLERANCE_RAD)


def turns(before: Tensor, now: Tensor) -> Tensor:
    """Return the turns `(…)` about the vertical from axis `before` to axis `now`, in [-0.5, 0.5].

    It is 0 unless both are within 60 degrees of the horizontal, because the heading of an upright
    pen is undefined.
    """
    sine = before[..., 0] * now[..., 1] - before[..., 1] * now[..., 0]
    cosine = (before[..., :2] * now[..., :2]).sum(dim=-1)
    level = (before[..., :2].norm(dim=-1) > _LEVEL) & (now[..., :2].norm(dim=-1) > _LEVEL)
    return torch.where(level, torch.atan2(sine, cosine) / (2.0 * math.pi), 0.0)


def nearest_orientation(quat: Tensor, axis: Tensor, goal: Tensor) -> Tensor:
    """Return the orientation `(…, 4)` nearest to `quat` whose axis is the horizontal `goal (…, 3)`.

    `axis` is the axis of `quat`. The pen's roll about its own axis does not count, so the angle
    between the two orientations is the angle between the two axes. Quaternions are (w, x, y, z).
    """
    cosine = (axis * goal).sum(dim=-1, keepdim=True)
    shortest = torch.cat((1.0 + cosine, torch.linalg.cross(axis, goal)), dim=-1)
    # Half a turn about the vertical, for opposite axes, where all such rotations are equally near.
    about_vertical = torch.tensor([0.0, 0.0, 0.0, 1.0], device=quat.device)
    turn = torch.where(cosine < -1.0 + 1e-6, about_vertical, shortest)
    return rotations.multiply(turn / turn.norm(dim=-1, keepdim=True), quat)

"""A camera at one moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eureka_agent.simulation.drawing.scene import Camera
from eureka_agent.simulation.drawing.shapes import Floats

_NEAREST = 1e-3
"""Depth in m from which something is in front of the camera."""


@dataclass(frozen=True)
class View:
    """Where the camera is, where it looks, and the size of the picture in pixels."""

    position: Floats
    """`(3,)` in m."""
    axes: Floats
    """`(3, 3)`: rows are right, down and forward."""
    focal_length: float
    """In pixels."""
    width: int
    height: int

    @classmethod
    def of(cls, camera: Camera, poses: Floats, width: int, height: int) -> View:
        """Return the view of a camera that follows its body over the ground, not up and down.

        Args:
            camera: The scene's camera.
            poses: `(bodies, 7)`.
            width: Of the picture, in pixels.
            height: Of the picture, in pixels.
        """
        position, target = camera.position.copy(), camera.target.copy()
        if camera.followed >= 0:
            moved = poses[camera.followed, :2] - target[:2]
            position[:2] += moved
            target[:2] += moved
        forward = _unit(target - position)
        right = _unit(np.cross(forward, [0.0, 0.0, 1.0]))
        down = np.cross(forward, right)
        axes = np.stack([right, down, forward]).astype(np.float32)
        focal_length = height / 2.0 / float(np.tan(camera.fovy_rad / 2.0))
        return cls(position, axes, focal_length, width, height)

    def halved(self) -> View:
        """Return the view of a picture with half as many pixels along each side."""
        size = (self.focal_length / 2.0, self.width // 2, self.height // 2)
        return View(self.position, self.axes, *size)

    def projected(self, points: Floats) -> tuple[Floats, Floats]:
        """Return `(n, 2)` pixels of points `(n, 3)`, and `(n,)`: one divided by their depths.

        A point behind the camera gets 0 as the latter.
        """
        local = (points - self.position) @ self.axes.T
        ahead = local[:, 2] > _NEAREST
        nearness = np.where(ahead, 1.0 / np.where(ahead, local[:, 2], 1.0), 0.0)
        middle = np.array([self.width / 2.0, self.height / 2.0], np.float32)
        pixels = middle + local[:, :2] * (nearness * self.focal_length)[:, None]
        return pixels.astype(np.float32), nearness.astype(np.float32)

    def directions(self) -> Floats:
        """Return `(height, width, 3)`: through each pixel, of depth 1."""
        x = (np.arange(self.width) + 0.5 - self.width / 2.0) / self.focal_length
        y = (np.arange(self.height) + 0.5 - self.height / 2.0) / self.focal_length
        right, down, forward = self.axes
        columns = x.astype(np.float32)[:, None] * right
        rows = y.astype(np.float32)[:, None] * down + forward
        directions: Floats = columns[None] + rows[:, None]
        return directions


def _unit(vector: Floats) -> Floats:
    unit: Floats = (vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32)
    return unit

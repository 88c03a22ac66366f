"""Move a scene's camera so that what moves fills the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eureka_agent.simulation.drawing.rotations import matrices
from eureka_agent.simulation.drawing.scene import Camera, DrawnScene
from eureka_agent.simulation.drawing.shapes import Floats
from eureka_agent.simulation.drawing.view import View

_NEAREST, _FARTHEST = 0.3, 1.6
"""Limits of the camera's distance, as shares of the scene's own."""
_WIDTH, _HEIGHT = 400, 300
_FILLED = 0.9
"""Share of the picture's half sides that is filled at most."""
_STEPS = 12
_MOST_MOMENTS = 24
_STILL = 1e-3
"""Change of a body's pose below which it stands still."""


def framed(scene: DrawnScene, poses: NDArray[np.float32]) -> DrawnScene:
    """Return the scene with its camera at the least distance from which all that moves is seen.

    The direction of the camera stays. A body that flies far away is left behind; only if all that
    moves leaves the picture, the camera follows it.

    Args:
        scene: The scene.
        poses: `(moments, bodies, 7)` of what will be drawn.
    """
    poses = np.nan_to_num(poses)
    changes = np.abs(poses - poses[:1]).max(axis=(0, 2))
    moving = (changes > _STILL)[scene.body]
    if not moving.any():
        return scene
    chosen = np.linspace(0, len(poses) - 1, min(len(poses), _MOST_MOMENTS)).round().astype(int)
    poses = poses[chosen]
    farthest = _at_distance(scene.camera, _FARTHEST)
    own = scene.camera
    if not all(_inside(scene, farthest, each, moving).any() for each in poses):
        own = replace(own, followed=int(scene.body[moving].min()))
    low, high = _NEAREST, _FARTHEST
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        camera = _at_distance(own, middle)
        if all(_inside(scene, camera, each, moving).all() for each in poses):
            high = middle
        else:
            low = middle
    return replace(scene, camera=_at_distance(own, high))


def _at_distance(camera: Camera, share: float) -> Camera:
    away = (camera.position - camera.target) * np.float32(share)
    return replace(camera, position=camera.target + away)


def _inside(
    scene: DrawnScene, camera: Camera, poses: Floats, moving: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which of the moving vertices are in the picture at one moment."""
    bodies = scene.body[moving]
    turned = np.einsum("nij,nj->ni", matrices(poses[:, 3:])[bodies], scene.vertices[moving])
    view = View.of(camera, poses, _WIDTH, _HEIGHT)
    pixels, nearness = view.projected(turned + poses[bodies, :3])
    off = np.abs(pixels / np.array([_WIDTH / 2.0, _HEIGHT / 2.0]) - 1.0).max(axis=1)
    inside: NDArray[np.bool_] = (nearness > 0.0) & (off <= _FILLED)
    return inside

"""Draw a scene, given where its bodies are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from eureka_agent.simulation.drawing.background import draw_plane, level_of, sky
from eureka_agent.simulation.drawing.rasteriser import rasterised
from eureka_agent.simulation.drawing.rotations import matrices
from eureka_agent.simulation.drawing.scene import DrawnScene
from eureka_agent.simulation.drawing.shapes import Floats
from eureka_agent.simulation.drawing.view import View

_OVERSAMPLED = 2
"""Pixels that are drawn for each side of one of the picture, for smooth edges."""
_LIGHT = np.array([0.35, -0.25, 0.9], np.float32)
_AMBIENT, _DIRECT, _FRONTAL = 0.35, 0.45, 0.25
_SHADOW = 0.72
"""Brightness of a floor in the shadow."""
_EDGE = 0.55
"""Brightness of the line where one geom ends before another."""
_FARTHEST_M = 1e4
"""A body that is farther away has diverged."""
_GOAL = (200, 30, 60)


class Renderer:
    """Draws a scene as a picture.

    Args:
        scene: What is drawn.
        width: Of the pictures, in pixels.
        height: Of the pictures, in pixels.
    """

    def __init__(self, scene: DrawnScene, width: int = 320, height: int = 240) -> None:
        self._scene = scene
        self._width = width
        self._height = height

    def draw(
        self, poses: NDArray[np.float32], goals: Sequence[NDArray[np.float32]] = ()
    ) -> Image.Image:
        """Return the picture of one moment.

        Args:
            poses: `(bodies, 7)`: positions in m and quaternions (w, x, y, z) in the world.
            goals: `(3,)` each: places in m that are marked.

        Returns:
            An RGB picture.

        Raises:
            ValueError: The poses are not those of the scene's bodies.
        """
        if poses.shape != (self._scene.num_bodies, 7):
            raise ValueError(
                f"poses must have the shape {(self._scene.num_bodies, 7)}, got {poses.shape}"
            )
        poses = np.nan_to_num(poses).clip(-_FARTHEST_M, _FARTHEST_M).astype(np.float32)
        width, height = self._width * _OVERSAMPLED, self._height * _OVERSAMPLED
        view = View.of(self._scene.camera, poses, width, height)
        picture, depth = sky(view), np.zeros((height, width), np.float32)
        corners = self._corners(poses)
        for plane in self._scene.planes:
            seen = draw_plane(plane, poses[plane.body], self._scene, view, picture, depth)
            level = level_of(plane, poses[plane.body])
            if level is not None and seen.any():
                picture[seen & _shadow(corners, level, view)] *= _SHADOW
        self._draw_surfaces(corners, view, picture, depth)
        image = Image.fromarray((picture * 255.0).clip(0.0, 255.0).astype(np.uint8))
        image = image.resize((self._width, self._height), Image.Resampling.BOX)
        mark_goals(image, goals, View.of(self._scene.camera, poses, self._width, self._height))
        return image

    def _corners(self, poses: Floats) -> Floats:
        """Return `(faces, 3, 3)`: the corners of all triangles in the world."""
        scene = self._scene
        rotations = matrices(poses[:, 3:])[scene.body]
        turned = np.einsum("nij,nj->ni", rotations, scene.vertices)
        corners: Floats = (turned + poses[scene.body, :3])[scene.faces].astype(np.float32)
        return corners

    def _draw_surfaces(self, corners: Floats, view: View, picture: Floats, depth: Floats) -> None:
        pixels, nearness = view.projected(corners.reshape(-1, 3))
        pixels, nearness = pixels.reshape(-1, 3, 2), nearness.reshape(-1, 3)
        ahead = np.flatnonzero((nearness > 0.0).all(axis=1))
        # The picture's y points down, which turns the corners' order round.
        triangle, seen = rasterised(pixels[ahead, ::-1], nearness[ahead, ::-1], depth)
        if not seen.any():
            return
        face = ahead[triangle[seen]]
        colours = self._scene.colours * self._brightness(corners, view)[:, None]
        picture[seen] = colours[face]
        parts = np.full(depth.shape, -1, np.int32)
        parts[seen] = self._scene.part[face]
        picture[_edges(parts)] *= _EDGE

    def _brightness(self, corners: Floats, view: View) -> Floats:
        """Return `(faces,)` from the angle to the light and to the camera."""
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        normals = normals / np.maximum(lengths, 1e-12)
        direct = np.clip(normals @ (_LIGHT / np.linalg.norm(_LIGHT)), 0.0, 1.0)
        frontal = np.clip(-normals @ view.axes[2], 0.0, 1.0)
        brightness: Floats = _AMBIENT + _DIRECT * direct + _FRONTAL * frontal
        return brightness


def _shadow(corners: Floats, level: float, view: View) -> NDArray[np.bool_]:
    """Return `(height, width)`: what is straight below a body, on a floor at the height `level`."""
    mask = Image.new("1", (view.width, view.height))
    flat = corners[(corners[:, :, 2] > level).all(axis=1)].copy()
    flat[:, :, 2] = level
    pixels, nearness = view.projected(flat.reshape(-1, 3))
    ahead = (nearness.reshape(-1, 3) > 0.0).all(axis=1)
    drawing = ImageDraw.Draw(mask)
    for triangle in pixels.reshape(-1, 6)[ahead].tolist():
        drawing.polygon(triangle, fill=1)
    return np.asarray(mask)


def _edges(parts: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return where a geom's picture ends."""
    edges = np.zeros(parts.shape, np.bool_)
    edges[:, 1:] |= parts[:, 1:] != parts[:, :-1]
    edges[1:, :] |= parts[1:, :] != parts[:-1, :]
    return edges


def mark_goals(image: Image.Image, goals: Sequence[NDArray[np.float32]], view: View) -> None:
    """Draw a cross at every goal.

    Args:
        image: The picture, which is changed.
        goals: `(3,)` each: places in m.
        view: The camera of the picture.
    """
    drawing = ImageDraw.Draw(image)
    for goal in goals:
        ((x, y),), (near,) = view.projected(np.nan_to_num(goal)[None])
        if near <= 0.0 or max(abs(x), abs(y)) > 10_000.0:
            continue
        drawing.line((x - 4, y - 4, x + 4, y + 4), fill=_GOAL, width=2)
        drawing.line((x - 4, y + 4, x + 4, y - 4), fill=_GOAL, width=2)

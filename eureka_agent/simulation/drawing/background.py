"""Sky and floor, pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eureka_agent.simulation.drawing.rotations import matrices
from eureka_agent.simulation.drawing.scene import DrawnScene, Plane
from eureka_agent.simulation.drawing.shapes import Floats
from eureka_agent.simulation.drawing.view import View

_SKY_TOP = np.array([0.62, 0.74, 0.88], np.float32)
_SKY_BOTTOM = np.array([0.93, 0.95, 0.97], np.float32)
_DARKER = 0.82
"""Brightness of every second square of a floor."""
_PALE = 0.55
"""Share of white in a floor, so that robots stand out."""
_CELLS_PER_EXTENT = 3.0
_LEVEL = 0.999
"""Height of the tip of a unit normal from which a plane is level."""
_FADED = 14.0
"""Multiples of the scene's extent at which a floor has become the sky."""


def sky(view: View) -> Floats:
    """Return `(height, width, 3)`: the empty background, 0 to 1."""
    share = np.linspace(0.0, 1.0, view.height, dtype=np.float32)[:, None, None]
    rows = _SKY_TOP * (1.0 - share) + _SKY_BOTTOM * share
    return np.repeat(rows, view.width, axis=1)


def draw_plane(
    plane: Plane, pose: Floats, scene: DrawnScene, view: View, picture: Floats, depth: Floats
) -> NDArray[np.bool_]:
    """Draw one side of a plane with a checker.

    Args:
        plane: The plane.
        pose: `(7,)` of its body.
        scene: The scene that it belongs to.
        view: The camera.
        picture: `(height, width, 3)`, which is changed.
        depth: `(height, width)`: the nearness of what is drawn already, which is changed.

    Returns:
        `(height, width)`: where it is seen.
    """
    turned = matrices(pose[None, 3:])[0]
    rotation = turned @ plane.rotation
    start = (view.position - pose[:3] - turned @ plane.centre) @ rotation
    if start[2] <= 0.0:  # seen from below
        return np.zeros(depth.shape, np.bool_)
    near = view.directions() @ (-rotation[:, 2] / start[2])
    seen: NDArray[np.bool_] = near > np.maximum(depth, 1.0 / (_FADED * scene.extent_m))
    colours, inside = _floor(plane, rotation, start, scene.extent_m, view.halved())
    seen &= _doubled(inside)
    haze = np.clip(_FADED * scene.extent_m * near, 1.0, 1e9)[..., None]
    shown = picture + (_doubled(colours) - picture) * (1.0 - 1.0 / haze)
    np.copyto(picture, shown, where=seen[..., None])
    np.copyto(depth, near, where=seen)
    return seen


def level_of(plane: Plane, pose: Floats) -> float | None:
    """Return a level plane's height in m; None for a wall or a slope."""
    turned = matrices(pose[None, 3:])[0]
    centre = pose[:3] + turned @ plane.centre
    normal = turned @ plane.rotation[:, 2]
    return float(centre[2]) if normal[2] > _LEVEL else None


def _floor(
    plane: Plane, rotation: Floats, start: Floats, extent_m: float, view: View
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return a plane's colours `(height, width, 3)`, and where the plane is.

    The checker is smoothed over the width of a pixel.
    """
    directions = view.directions() @ rotation
    along = start[2] / np.maximum(-directions[..., 2], 1e-6)
    x = start[0] + directions[..., 0] * along
    y = start[1] + directions[..., 1] * along
    inside = _within(x, plane.half_sizes[0]) & _within(y, plane.half_sizes[1])
    waves = np.float32(np.pi / _cell_size(extent_m))
    pixel = waves * along / np.float32(view.focal_length)
    share = np.clip(np.sin(waves * x) * np.sin(waves * y) / np.maximum(pixel, 1e-6), -1.0, 1.0)
    brightness = 1.0 - (1.0 - _DARKER) * (0.5 + 0.5 * share)
    colours = (plane.colour * (1.0 - _PALE) + _PALE) * brightness[..., None]
    return colours.astype(np.float32), inside


def _doubled(values: NDArray[Any]) -> NDArray[Any]:
    """Return an array with every pixel twice along both sides."""
    return values.repeat(2, axis=0).repeat(2, axis=1)


def _within(values: Floats, half_size: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (np.abs(values) <= half_size) | (half_size <= 0.0)
    return inside


def _cell_size(extent_m: float) -> float:
    """Return 1, 2 or 5 times a power of ten, near a third of the scene's extent."""
    wanted = extent_m / _CELLS_PER_EXTENT
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(min((1.0, 2.0, 5.0, 10.0), key=lambda each: abs(each * power - wanted)) * power)

"""Triangles to pixels with a depth buffer, for all triangles at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eureka_agent.simulation.drawing.shapes import Floats, Indices

_MOST_PIXELS = 4_000_000
"""Pixels of bounding boxes that are worked on at once; it bounds the memory."""
_LEAST_AREA = 1e-6


def rasterised(
    corners: Floats, nearness: Floats, depth: Floats
) -> tuple[Indices, NDArray[np.bool_]]:
    """Return which triangle is seen in each pixel.

    Args:
        corners: `(triangles, 3, 2)` in pixels, x to the right, y down; those that are not
            clockwise in the picture are seen from behind and left out.
        nearness: `(triangles, 3)`: one divided by the depth of each corner.
        depth: `(height, width)`: the nearness of what is drawn already; it is updated.

    Returns:
        `(height, width)`: the triangle's number, and whether there is one.
    """
    height, width = depth.shape
    seen = np.full(height * width, -1, np.int32)
    flat = depth.reshape(-1)
    coefficients = _Coefficients(corners, nearness)
    low = np.clip(np.floor(corners.min(axis=1)), 0, (width, height)).astype(np.int64)
    high = np.clip(np.ceil(corners.max(axis=1)), 0, (width, height)).astype(np.int64)
    sizes = np.maximum(high - low, 0)
    counts = sizes[:, 0] * sizes[:, 1] * coefficients.front
    numbers = counts.nonzero()[0]
    ends = counts[numbers].cumsum()
    first = 0
    while first < len(numbers):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _MOST_PIXELS, side="right")))
        chunk = numbers[first:last]
        _draw(chunk, low, sizes, counts, coefficients, width, flat, seen)
        first = last
    picture = seen.reshape(height, width)
    return picture, picture >= 0


class _Coefficients:
    """Of each triangle: its three edges and its nearness as linear functions of the pixel."""

    def __init__(self, corners: Floats, nearness: Floats) -> None:
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
        self.front = area > _LEAST_AREA
        safe = np.where(self.front, area, 1.0)
        edges = [_edge(b, c), _edge(c, a), _edge(a, b)]
        self.edges = [(edge / safe[:, None]).astype(np.float32) for edge in edges]
        of_corners = [edge * nearness[:, k, None] for k, edge in enumerate(self.edges)]
        self.nearness: Floats = (of_corners[0] + of_corners[1] + of_corners[2]).astype(np.float32)


def _edge(p: Floats, q: Floats) -> Floats:
    """Return `(n, 3)`: x, y and constant of the function that is 0 on the line from p to q."""
    x = p[:, 1] - q[:, 1]
    y = q[:, 0] - p[:, 0]
    return np.stack([x, y, -(x * p[:, 0] + y * p[:, 1])], axis=1)


def _at(
    coefficients: Floats, triangle: NDArray[np.int64], x: NDArray[np.int64], y: NDArray[np.int64]
) -> Floats:
    """Return the values of the triangles' functions in the middle of pixels."""
    of_x, of_y, constant = coefficients.T
    middle = constant + 0.5 * (of_x + of_y)
    values: Floats = of_x[triangle] * x.astype(np.float32)
    values += of_y[triangle] * y.astype(np.float32)
    values += middle[triangle]
    return values


def _draw(
    chunk: NDArray[np.int64],
    low: NDArray[np.int64],
    sizes: NDArray[np.int64],
    counts: NDArray[np.int64],
    coefficients: _Coefficients,
    width: int,
    flat: Floats,
    seen: Indices,
) -> None:
    """Draw some triangles: every pixel of their bounding boxes is tried."""
    own = counts[chunk]
    triangle = np.repeat(chunk, own)
    place = np.arange(len(triangle)) - np.repeat(own.cumsum() - own, own)
    row, column = np.divmod(place, sizes[triangle, 0])
    x = low[triangle, 0] + column
    y = low[triangle, 1] + row
    for edge in coefficients.edges:
        inside = _at(edge, triangle, x, y) >= 0.0
        triangle, x, y = triangle[inside], x[inside], y[inside]
    pixel = y * width + x
    near = _at(coefficients.nearness, triangle, x, y)
    np.maximum.at(flat, pixel, near)
    visible = near >= flat[pixel]
    seen[pixel[visible]] = triangle[visible]

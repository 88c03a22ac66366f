"""MuJoCo's geoms as triangles, in the geom's own frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]

_AROUND, _ALONG = 20, 10
"""Segments of a round shape around its axis, and from pole to pole."""
_MOST_CELLS = 18
"""Cells along the longest side of a mesh; vertices in one cell become one."""
_MOST_SIDE = 48
"""Points along a side of a height field that are kept."""


@dataclass(frozen=True)
class Triangles:
    """A surface; corners are counter-clockwise as seen from outside."""

    vertices: Floats
    """`(vertices, 3)` in m."""
    faces: Indices
    """`(faces, 3)`: vertices by index."""


def shape_of(kind: str, size: Floats) -> Triangles:
    """Return a primitive geom.

    Args:
        kind: `sphere`, `capsule`, `ellipsoid`, `cylinder` or `box`.
        size: `(3,)` MuJoCo's half sizes in m.

    Raises:
        ValueError: There is no such geom.
    """
    if kind not in _SHAPES:
        raise ValueError(f"there is no geom of the type {kind!r:.40}")
    return _SHAPES[kind](size)


def _sphere(size: Floats) -> Triangles:
    return _ellipsoid(np.repeat(size[:1], 3))


def _ellipsoid(size: Floats) -> Triangles:
    polar = np.linspace(np.pi, 0.0, _ALONG + 1)
    profile = np.stack([np.sin(polar), np.cos(polar)], axis=1)
    unit = _turned(profile)
    return Triangles((unit.vertices * size).astype(np.float32), unit.faces)


def _capsule(size: Floats) -> Triangles:
    radius, half = float(size[0]), float(size[1])
    lower = np.linspace(np.pi, np.pi / 2.0, _ALONG // 2 + 1)
    upper = np.linspace(np.pi / 2.0, 0.0, _ALONG // 2 + 1)
    around = np.concatenate([np.sin(lower), np.sin(upper)]) * radius
    along = np.concatenate([np.cos(lower) * radius - half, np.cos(upper) * radius + half])
    return _turned(np.stack([around, along], axis=1))


def _cylinder(size: Floats) -> Triangles:
    radius, half = float(size[0]), float(size[1])
    profile = [(0.0, -half), (radius, -half), (radius, half), (0.0, half)]
    return _turned(np.array(profile))


def _box(size: Floats) -> Triangles:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [triangle for a, b, c, d in sides for triangle in ((a, b, c), (a, c, d))]
    return Triangles(corners * size, np.array(faces, np.int32))


_SHAPES: Mapping[str, Callable[[Floats], Triangles]] = {
    "sphere": _sphere,
    "ellipsoid": _ellipsoid,
    "capsule": _capsule,
    "cylinder": _cylinder,
    "box": _box,
}


def _turned(profile: NDArray[np.float64]) -> Triangles:
    """Return the surface that a profile makes around z.

    `profile`: `(points, 2)`: radius and height, from the lowest to the highest.
    """
    angles = np.arange(_AROUND) * (2.0 * np.pi / _AROUND)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = len(profile)
    vertices = np.empty((points, _AROUND, 3), np.float32)
    vertices[..., :2] = profile[:, None, :1] * ring
    vertices[..., 2] = profile[:, None, 1]
    return Triangles(vertices.reshape(-1, 3), _grid(points, _AROUND, closed=True))


def _grid(rows: int, columns: int, *, closed: bool) -> Indices:
    """Return the triangles of a grid of points; with `closed` its last column meets the first."""
    numbers = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    if closed:
        numbers = np.concatenate([numbers, numbers[:, :1]], axis=1)
    a, b = numbers[:-1, :-1], numbers[:-1, 1:]
    c, d = numbers[1:, 1:], numbers[1:, :-1]
    both = np.stack([np.stack([a, b, c], axis=-1), np.stack([a, c, d], axis=-1)])
    return both.reshape(-1, 3)


def simplified(mesh: Triangles) -> Triangles:
    """Return a mesh with fewer triangles: vertices in one cell of a grid become their mean."""
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    cell = max(float((high - low).max()) / _MOST_CELLS, 1e-9)
    places = ((mesh.vertices - low) / cell).astype(np.int64)
    keys = (places[:, 0] << 40) | (places[:, 1] << 20) | places[:, 2]
    _, first, numbers = np.unique(keys, return_index=True, return_inverse=True)
    counts = np.bincount(numbers, minlength=len(first))
    vertices = np.empty((len(first), 3), np.float32)
    for axis in range(3):
        sums = np.bincount(numbers, weights=mesh.vertices[:, axis], minlength=len(first))
        vertices[:, axis] = sums / counts
    faces = numbers.reshape(-1)[mesh.faces].astype(np.int32)
    a, b, c = faces.T
    whole = (a != b) & (b != c) & (a != c)
    return Triangles(vertices, np.unique(faces[whole], axis=0))


def height_field(heights: Floats, size: Floats) -> Triangles:
    """Return a height field.

    Args:
        heights: `(rows, columns)`, 0 to 1; rows run along y, columns along x.
        size: `(4,)`: half sizes along x and y, largest height, depth below, in m.
    """
    rows = _kept(heights.shape[0])
    columns = _kept(heights.shape[1])
    y = np.linspace(-size[1], size[1], heights.shape[0])[rows]
    x = np.linspace(-size[0], size[0], heights.shape[1])[columns]
    vertices = np.empty((len(rows), len(columns), 3), np.float32)
    vertices[..., 0] = x[None, :]
    vertices[..., 1] = y[:, None]
    vertices[..., 2] = heights[np.ix_(rows, columns)] * size[2]
    return Triangles(vertices.reshape(-1, 3), _grid(len(rows), len(columns), closed=False))


def _kept(count: int) -> Indices:
    """Return evenly spaced numbers below `count`, the first and the last included."""
    return np.linspace(0, count - 1, min(count, _MOST_SIDE)).round().astype(np.int32)

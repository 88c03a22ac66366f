"""A scene pack as triangles: what a renderer draws, given the poses of the bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eureka_agent.simulation.drawing.rotations import matrices
from eureka_agent.simulation.drawing.shapes import (
    Floats,
    Indices,
    Triangles,
    height_field,
    shape_of,
    simplified,
)
from eureka_agent.text import one_line
from eureka_agent.utils.pack import Pack, unpack

_LEAST_ALPHA = 0.15
"""What is more transparent than this is left out; the rest is drawn opaque."""
_MOST_TRIANGLES = 500_000
_LARGEST = 1e6
"""Lengths in m that are drawn."""


@dataclass(frozen=True)
class Plane:
    """A plane of the floor, or of a wall."""

    body: int
    centre: Floats
    """`(3,)` in the body's frame."""
    rotation: Floats
    """`(3, 3)` to the body's frame; its last column is the normal."""
    half_sizes: Floats
    """`(2,)` along its x and y in m; 0 is infinite."""
    colour: Floats
    """`(3,)`, 0 to 1."""


@dataclass(frozen=True)
class Camera:
    """Where the scene is seen from while no body moved."""

    position: Floats
    target: Floats
    fovy_rad: float
    followed: int
    """The body that it follows, or -1."""


@dataclass(frozen=True)
class DrawnScene:
    """All surfaces of a scene, joined."""

    num_bodies: int
    extent_m: float
    camera: Camera
    vertices: Floats
    """`(vertices, 3)`, each in its body's frame."""
    body: Indices
    """`(vertices,)`: the body of each vertex."""
    faces: Indices
    """`(faces, 3)`."""
    part: Indices
    """`(faces,)`: the geom of each face; an edge is drawn where it changes."""
    colours: Floats
    """`(faces, 3)`, 0 to 1."""
    planes: tuple[Plane, ...]


def drawn_scene(scene: bytes) -> DrawnScene:
    """Read a scene pack.

    Args:
        scene: What `Task.scene` returned; it may come from somebody else.

    Returns:
        The scene, ready to be drawn.

    Raises:
        ValueError: It is damaged, or too large to be drawn.
    """
    pack = unpack(scene)
    try:
        return _read(pack)
    except (KeyError, TypeError, IndexError, OverflowError, ValueError) as error:
        raise ValueError(f"the scene is damaged ({one_line(str(error), 80)})") from error


def _read(pack: Pack) -> DrawnScene:
    header = pack.header
    num_bodies = len(header["bodies"])
    vertices: list[Floats] = [np.zeros((0, 3), np.float32)]
    body: list[Indices] = [np.zeros(0, np.int32)]
    faces: list[Indices] = [np.zeros((0, 3), np.int32)]
    part: list[Indices] = [np.zeros(0, np.int32)]
    colours: list[Floats] = [np.zeros((0, 3), np.float32)]
    planes: list[Plane] = []
    first = triangles = 0
    for number, geom in enumerate(header["geoms"]):
        own = _index(geom["body"], num_bodies)
        colour = np.clip(_numbers(geom["rgba"], 4), 0.0, 1.0)
        if colour[3] < _LEAST_ALPHA:
            continue
        rotation = matrices(_numbers(geom["quat"], 4)[None])[0]
        centre = _numbers(geom["pos"], 3)
        if geom["type"] == "plane":
            half_sizes = _numbers(geom["size"], 3)[:2]
            planes.append(Plane(own, centre, rotation, half_sizes, colour[:3]))
            continue
        surface = _surface(geom, pack)
        triangles += len(surface.faces)
        if triangles > _MOST_TRIANGLES:
            raise ValueError(f"it has more than {_MOST_TRIANGLES:,} triangles")
        vertices.append(surface.vertices @ rotation.T + centre)
        body.append(np.full(len(surface.vertices), own, np.int32))
        faces.append(surface.faces + first)
        part.append(np.full(len(surface.faces), number, np.int32))
        colours.append(np.repeat(colour[None, :3], len(surface.faces), axis=0))
        first += len(surface.vertices)
    return DrawnScene(
        num_bodies,
        max(float(header["extent"]), 1e-3),
        _camera(header["camera"], num_bodies),
        np.concatenate(vertices),
        np.concatenate(body),
        np.concatenate(faces),
        np.concatenate(part),
        np.concatenate(colours),
        tuple(planes),
    )


def _surface(geom: dict[str, Any], pack: Pack) -> Triangles:
    kind = str(geom["type"])
    if kind == "mesh":
        return _mesh(pack.header["meshes"][geom["mesh"]], pack)
    if kind == "hfield":
        return _height_field(pack.header["hfields"][geom["hfield"]], pack)
    return shape_of(kind, _numbers(geom["size"], 3))


def _mesh(mesh: dict[str, Any], pack: Pack) -> Triangles:
    rounded = pack.array(mesh["vert"]).reshape(-1, 3)
    vertices = rounded * _numbers(mesh["scale"], 3) + _numbers(mesh["off"], 3)
    faces = pack.array(mesh["face"]).reshape(-1, 3).astype(np.int64)
    if not len(faces) or faces.min() < 0 or faces.max() >= len(vertices):
        raise ValueError("a mesh refers to vertices that it does not have")
    return simplified(Triangles(vertices.astype(np.float32), faces.astype(np.int32)))


def _height_field(field: dict[str, Any], pack: Pack) -> Triangles:
    heights = pack.array(field["data"]).reshape(int(field["rows"]), int(field["cols"]))
    return height_field(np.nan_to_num(heights), _numbers(field["size"], 4))


def _camera(camera: dict[str, Any], num_bodies: int) -> Camera:
    followed = int(camera["track"])
    return Camera(
        _numbers(camera["pos"], 3),
        _numbers(camera["target"], 3),
        float(np.radians(np.clip(float(camera["fovy"]), 5.0, 120.0))),
        _index(followed, num_bodies) if followed >= 0 else -1,
    )


def _index(value: object, count: int) -> int:
    if not isinstance(value, int) or not 0 <= value < count:
        raise ValueError("it refers to a body that it does not have")
    return value


def _numbers(values: object, count: int) -> NDArray[np.float32]:
    numbers = np.asarray(values, np.float64)
    if numbers.shape != (count,) or not (np.abs(numbers) < _LARGEST).all():
        raise ValueError("it holds something that is not a usable number")
    return numbers.astype(np.float32)

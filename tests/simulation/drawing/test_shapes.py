"""Geoms as triangles: closed, turned outwards, of the right volume."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_agent.simulation.drawing.shapes import (
    Triangles,
    height_field,
    shape_of,
    simplified,
)


def volume(surface: Triangles) -> float:
    """Return the volume inside a closed surface; negative if it is turned inwards."""
    a, b, c = (surface.vertices[surface.faces[:, k]].astype(np.float64) for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6.0)


VOLUMES = {
    "sphere": ((0.5, 0.0, 0.0), 4.0 / 3.0 * np.pi * 0.125),
    "ellipsoid": ((0.5, 0.3, 0.2), 4.0 / 3.0 * np.pi * 0.03),
    "capsule": ((0.1, 0.4, 0.0), np.pi * 0.01 * 0.8 + 4.0 / 3.0 * np.pi * 0.001),
    "cylinder": ((0.2, 0.5, 0.0), np.pi * 0.04),
    "box": ((0.5, 0.25, 0.125), 0.125),
}


@pytest.mark.parametrize(("kind", "expected"), VOLUMES.items(), ids=VOLUMES)
def test_primitives_are_closed_and_turned_outwards(
    kind: str, expected: tuple[tuple[float, float, float], float]
) -> None:
    size, wanted = expected
    surface = shape_of(kind, np.array(size, np.float32))
    assert volume(surface) == pytest.approx(wanted, rel=0.06)
    assert surface.faces.min() >= 0
    assert surface.faces.max() < len(surface.vertices)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no geom of the type 'torus'"):
        shape_of("torus", np.ones(3, np.float32))


def test_fine_mesh_keeps_its_form_with_fewer_triangles() -> None:
    angles = np.linspace(0.0, 2.0 * np.pi, 200, endpoint=False)
    heights = np.linspace(-1.0, 1.0, 200)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    vertices = np.concatenate([np.c_[ring, np.full(200, z)] for z in heights]).astype(np.float32)
    numbers = np.arange(200 * 200).reshape(200, 200)
    right = np.roll(numbers, -1, axis=1)
    lower = np.stack([numbers[:-1], right[:-1], right[1:]], axis=-1).reshape(-1, 3)
    upper = np.stack([numbers[:-1], right[1:], numbers[1:]], axis=-1).reshape(-1, 3)
    fine = Triangles(vertices, np.concatenate([lower, upper]).astype(np.int32))
    coarse = simplified(fine)
    assert len(coarse.faces) < len(fine.faces) / 20
    radii = np.linalg.norm(coarse.vertices[:, :2], axis=1)
    assert radii.min() > 0.9
    assert radii.max() <= 1.01
    assert volume(coarse) == pytest.approx(volume(fine), rel=0.1)


def test_height_field_rises_where_its_data_do() -> None:
    heights = np.zeros((100, 80), np.float32)
    heights[-1, 0] = 1.0  # the last row is the largest y, the first column the smallest x
    surface = height_field(heights, np.array([4.0, 5.0, 2.0, 0.1], np.float32))
    highest = surface.vertices[surface.vertices[:, 2].argmax()]
    assert highest.tolist() == [-4.0, 5.0, 2.0]
    assert len(surface.faces) == 2 * 47 * 47
    normals = np.cross(
        surface.vertices[surface.faces[:, 1]] - surface.vertices[surface.faces[:, 0]],
        surface.vertices[surface.faces[:, 2]] - surface.vertices[surface.faces[:, 0]],
    )
    assert (normals[:, 2] > 0.0).all()

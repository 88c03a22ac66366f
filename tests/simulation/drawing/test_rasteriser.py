"""Which triangle is seen in which pixel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from eureka_agent.simulation.drawing import rasteriser
from eureka_agent.simulation.drawing.rasteriser import rasterised

WHOLE = [(-1.0, -1.0), (41.0, -1.0), (-1.0, 41.0)]
"""Clockwise in the picture, which it covers at least up to x + y = 40."""


def drawn(
    triangles: list[list[tuple[float, float]]], nearness: list[list[float]]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    depth = np.zeros((16, 20), np.float32)
    corners, near = np.array(triangles, np.float32), np.array(nearness, np.float32)
    seen, _ = rasterised(corners, near, depth)
    return seen, depth


def test_nearest_triangle_is_seen_whatever_the_order() -> None:
    small = [(4.0, 4.0), (12.0, 4.0), (4.0, 12.0)]
    for order in ((0, 1), (1, 0)):
        triangles, near = [WHOLE, small], [[1.0] * 3, [2.0] * 3]
        seen, depth = drawn([triangles[k] for k in order], [near[k] for k in order])
        assert seen[5, 5] == order.index(1)
        assert seen[14, 19] == order.index(0)
        assert (seen >= 0).all()
        assert depth[5, 5] == pytest.approx(2.0)
    far, _ = drawn([WHOLE, small], [[1.0] * 3, [0.5] * 3])
    assert (far == 0).all()


def test_only_pixels_whose_middle_is_inside_are_drawn() -> None:
    seen, _ = drawn([[(2.0, 2.0), (6.0, 2.0), (2.0, 6.0)]], [[1.0] * 3])
    rows, columns = (seen == 0).nonzero()
    assert (rows + columns < 8).all()
    assert len(rows) == pytest.approx(8, abs=2)  # its area
    assert rows.min() == columns.min() == 2


def test_triangles_seen_from_behind_or_without_an_area_are_left_out() -> None:
    behind = WHOLE[::-1]
    line = [(1.0, 1.0), (5.0, 5.0), (9.0, 9.0)]
    seen, depth = drawn([behind, line], [[1.0] * 3] * 2)
    assert (seen == -1).all()
    assert (depth == 0.0).all()


def test_nearness_is_interpolated_between_the_corners() -> None:
    _, depth = drawn([[(0.0, 0.0), (20.0, 0.0), (0.0, 16.0)]], [[1.0, 3.0, 1.0]])
    assert depth[0, 0] == pytest.approx(1.0 + 2.0 * 0.5 / 20.0, abs=1e-4)
    assert depth[0, 10] == pytest.approx(1.0 + 2.0 * 10.5 / 20.0, abs=1e-4)


def test_work_in_parts_gives_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    corners = generator.uniform(-5.0, 25.0, (60, 3, 2)).astype(np.float32)
    near = generator.uniform(0.5, 2.0, (60, 3)).astype(np.float32)
    whole, _ = rasterised(corners, near, np.zeros((16, 20), np.float32))
    monkeypatch.setattr(rasteriser, "_MOST_PIXELS", 50)
    parts, _ = rasterised(corners, near, np.zeros((16, 20), np.float32))
    assert np.array_equal(whole, parts)
    assert len(np.unique(whole)) > 5

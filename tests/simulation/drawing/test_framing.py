"""The camera's distance follows what moves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from eureka_agent.simulation.drawing.framing import framed
from eureka_agent.simulation.drawing.scene import DrawnScene, drawn_scene
from eureka_agent.utils.pack import PackWriter


def scene() -> DrawnScene:
    """Return two balls of 0.1 m and a fixed one; the camera is 4 m away and follows nobody."""
    ball = {"type": "sphere", "size": [0.1, 0, 0], "pos": [0, 0, 0], "quat": [1, 0, 0, 0]}
    header = {
        "v": 1,
        "bodies": ["world", "one", "two"],
        "extent": 1.0,
        "camera": {"pos": [0, -4, 0], "target": [0, 0, 0], "fovy": 45, "track": -1},
        "geoms": [{**ball, "body": body, "rgba": [1, 0, 0, 1]} for body in range(3)],
        "meshes": [],
        "hfields": [],
    }
    return drawn_scene(PackWriter().pack(header))


def poses(one: list[float], two: list[float]) -> NDArray[np.float32]:
    """Return the poses of balls that move along x."""
    found = np.zeros((len(one), 3, 7), np.float32)
    found[..., 3] = 1.0
    found[:, 1, 0] = one
    found[:, 2, 0] = two
    return found


def distance(found: DrawnScene) -> float:
    return float(np.linalg.norm(found.camera.position - found.camera.target))


def test_small_motion_is_seen_from_near_and_large_motion_from_afar() -> None:
    near = framed(scene(), poses([0.0, 0.2], [0.0, 0.0]))
    far = framed(scene(), poses([0.0, 1.0], [0.0, 0.0]))
    assert distance(near) == pytest.approx(1.2, abs=0.02)  # the least share, 0.3
    assert distance(near) < distance(far) < 4.0
    assert far.camera.followed == -1


def test_body_that_flies_away_is_left_behind() -> None:
    found = framed(scene(), poses([0.0, 0.1], [0.0, 90.0]))
    assert distance(found) == pytest.approx(1.6 * 4.0, rel=0.01)
    assert found.camera.followed == -1


def test_camera_follows_when_all_that_moves_leaves() -> None:
    found = framed(scene(), poses([0.0, 50.0], [0.3, 50.2]))
    assert found.camera.followed == 1
    assert distance(found) < 4.0


def test_scene_in_which_nothing_moves_keeps_its_camera() -> None:
    still = scene()
    assert framed(still, poses([0.0, 0.0], [0.5, 0.5])) is still

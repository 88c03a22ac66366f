"""Scene packs from elsewhere: whatever they hold, drawing them ends with a ValueError at worst."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eureka_agent.simulation.drawing.scene import drawn_scene
from eureka_agent.utils.pack import PackWriter


def scene(change: Callable[[dict[str, Any]], object] = lambda header: None) -> bytes:
    """Return a scene with one mesh and one height field, after a change of its header."""
    writer = PackWriter()
    corners = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]])
    mesh = {
        "vert": writer.add("i16", corners),
        "face": writer.add("u16", np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])),
        "scale": [0.1, 0.1, 0.1],
        "off": [0.0, 0.0, 0.0],
    }
    field = {"rows": 2, "cols": 3, "size": [1, 1, 1, 0.1], "data": writer.add("f32", np.zeros(6))}
    place = {"body": 1, "size": [1, 1, 1], "pos": [0, 0, 0], "quat": [1, 0, 0, 0]}
    header: dict[str, Any] = {
        "v": 1,
        "bodies": ["world", "robot"],
        "extent": 1.0,
        "camera": {"pos": [3, 0, 1], "target": [0, 0, 0], "fovy": 45, "track": 1},
        "geoms": [
            {"type": "mesh", "mesh": 0, "rgba": [1, 0, 0, 1], **place},
            {"type": "hfield", "hfield": 0, "rgba": [0, 1, 0, 1], **place},
            {"type": "sphere", "rgba": [0, 0, 1, 0.05], **place},
        ],
        "meshes": [mesh],
        "hfields": [field],
    }
    change(header)
    return writer.pack(header)


def test_surfaces_are_joined_and_what_is_nearly_transparent_is_left_out() -> None:
    found = drawn_scene(scene())
    assert found.num_bodies == 2
    assert len(found.faces) == 4 + 4
    assert set(found.body.tolist()) == {1}
    assert set(found.part.tolist()) == {0, 1}
    assert found.faces.max() == len(found.vertices) - 1


DAMAGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "no bodies": lambda h: h.pop("bodies"),
    "a body that does not exist": lambda h: h["geoms"][0].update(body=7),
    "a body before the first": lambda h: h["geoms"][0].update(body=-1),
    "a body that is text": lambda h: h["geoms"][0].update(body="1"),
    "a mesh that does not exist": lambda h: h["geoms"][0].update(mesh=3),
    "faces beyond the vertices": lambda h: h["meshes"][0].update(face=h["meshes"][0]["vert"]),
    "an array outside the pack": lambda h: h["meshes"][0]["vert"].update(o=10_000),
    "a size that is text": lambda h: h["geoms"][0].update(quat="abcd"),
    "a size of another length": lambda h: h["geoms"][0].update(pos=[1, 2]),
    "a huge number": lambda h: h["geoms"][0].update(pos=[1e300, 0, 0]),
    "an unknown geom": lambda h: h["geoms"][0].update(type="torus"),
    "a geom that is a list": lambda h: h["geoms"].__setitem__(0, []),
    "a height field of another size": lambda h: h["hfields"][0].update(rows=5),
    "a camera that follows nobody": lambda h: h["camera"].update(track=9),
    "no camera": lambda h: h.pop("camera"),
    "a million spheres": lambda h: h.update(geoms=[{**h["geoms"][0], "type": "sphere"}] * 2_000),
}


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED)
def test_damaged_scenes_are_refused(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(ValueError, match="the scene is damaged"):
        drawn_scene(scene(change))


def test_bytes_that_are_no_pack_are_refused() -> None:
    for data in (b"", b"nonsense", scene()[:40]):
        with pytest.raises(ValueError, match="block"):
            drawn_scene(data)

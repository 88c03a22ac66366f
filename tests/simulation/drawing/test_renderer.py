"""Pictures of MuJoCo scenes: what is where, how it moves, what hides what."""

from __future__ import annotations

import time

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from eureka_agent.simulation.drawing.renderer import Renderer
from eureka_agent.simulation.drawing.scene import drawn_scene
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.scene import scene_pack
from eureka_agent.tasks.registry import find_task

TASKS = ("ant_forward", "ball_balance", "cartpole", "hopper_forward", "pen_spinning")
WORLD = """
<mujoco>
  <asset>
    <mesh name="wedge" vertex="0 0 0  0.4 0 0  0 0.4 0  0 0 0.4"/>
    <hfield name="hill" nrow="9" ncol="9" size="1 1 0.5 0.1"/>
  </asset>
  <worldbody>{floor}
    <body name="red" pos="0 0 1"><freejoint/><geom type="{kind}" size="0.3 0.2 0.2" rgba="1 0 0 1"
      {more}/></body>
    <body name="blue" pos="0 3 1"><freejoint/><geom type="box" size="0.3 0.3 0.3" rgba="0 0 1 1"/>
    </body>
  </worldbody>
</mujoco>
"""
FLOOR = '<geom type="plane" size="0 0 1" rgba="0 1 0 1"/>'


def model_of(name: str) -> mujoco.MjModel:
    task = find_task(name)
    assert isinstance(task, MujocoTask)
    return task.model


def world(kind: str = "sphere", floor: str = FLOOR, more: str = "") -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(WORLD.format(kind=kind, floor=floor, more=more))


def poses_of(model: mujoco.MjModel, **places: tuple[float, float, float]) -> NDArray[np.float32]:
    """Return the poses with some bodies at other places."""
    data = mujoco.MjData(model)
    for name, place in places.items():
        address = model.joint(model.body(name).jntadr[0]).qposadr[0]
        data.qpos[address : address + 3] = place
    mujoco.mj_kinematics(model, data)
    return np.concatenate([data.xpos, data.xquat], axis=1).astype(np.float32)


def drawn(model: mujoco.MjModel, **places: tuple[float, float, float]) -> NDArray[np.int64]:
    renderer = Renderer(drawn_scene(scene_pack(model)))
    return np.asarray(renderer.draw(poses_of(model, **places))).astype(np.int64)


def share(picture: NDArray[np.int64], colour: str) -> float:
    """Return which part of a picture has mostly one colour: `red`, `green` or `blue`."""
    return float(where(picture, colour).mean())


def where(picture: NDArray[np.int64], colour: str) -> NDArray[np.bool_]:
    own = picture[..., "red green blue".split().index(colour)]
    rest = (picture.sum(axis=2) - own) / 2
    found: NDArray[np.bool_] = own > rest + 60
    return found


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("sphere", ""),
        ("capsule", ""),
        ("ellipsoid", ""),
        ("cylinder", ""),
        ("box", ""),
        ("mesh", 'mesh="wedge"'),
    ],
)
def test_every_kind_of_geom_is_seen(kind: str, more: str) -> None:
    picture = drawn(world(kind, more=more), blue=(0.0, 50.0, 1.0))
    assert 0.001 < share(picture, "red") < 0.3


def test_height_field_is_seen() -> None:
    hill = '<geom type="hfield" hfield="hill" rgba="0 0 1 1"/>'
    model = world(floor=FLOOR + hill)
    model.hfield_data[:] = np.linspace(0.5, 1.0, 81)
    assert share(drawn(model, blue=(0.0, 90.0, 1.0)), "blue") > 0.02
    assert share(drawn(world(), blue=(0.0, 90.0, 1.0)), "blue") < 0.001


def test_body_that_moves_moves_in_the_picture() -> None:
    model = world(floor="")
    columns, rows = [], []
    for place in ((0.0, 0.0, 1.0), (0.0, 0.0, 1.5)):
        spots = where(drawn(model, red=place, blue=(0.0, 50.0, 1.0)), "red").nonzero()
        rows.append(spots[0].mean())
        columns.append(spots[1].mean())
    assert rows[1] < rows[0] - 5
    assert columns[1] == pytest.approx(columns[0], abs=1.0)


def test_nearer_body_hides_the_one_behind_it_and_the_floor_what_is_below() -> None:
    model = world()
    camera = drawn_scene(scene_pack(model)).camera  # it follows the red body
    ahead = np.array([0.0, 0.0, 1.0]) + 0.3 * (camera.position - camera.target)
    hidden = drawn(model, red=(0.0, 0.0, 1.0), blue=tuple(ahead.tolist()))
    assert share(hidden, "blue") > 0.01
    assert share(hidden, "red") == 0.0
    assert share(drawn(model, red=(0.0, 0.0, -1.0)), "red") == 0.0


def test_shadow_shows_where_a_body_is_above_the_floor() -> None:
    model = world()
    lit = drawn(model, red=(0.0, 0.0, 50.0), blue=(0.0, 50.0, 1.0))
    low = drawn(model, red=(0.0, 0.0, 1.5), blue=(0.0, 50.0, 1.0))
    floor = where(lit, "green") | (lit[..., 1] > lit[..., 0])
    darker = (low.sum(axis=2) < lit.sum(axis=2) - 40) & floor & ~where(low, "red")
    assert darker.mean() > 0.0005


def test_camera_follows_the_robot_over_the_ground_and_shows_how_high_it_is() -> None:
    model = model_of("hopper_forward")
    renderer = Renderer(drawn_scene(scene_pack(model)))
    start = poses_of(model)
    away, higher = start.copy(), start.copy()
    away[1:, 0] += 8.0  # eight cells of the checker
    higher[1:, 2] += 0.5
    pictures = [np.asarray(renderer.draw(each)).astype(int) for each in (start, away, higher)]
    robots = [np.argwhere(each[..., 0] > each[..., 2] + 30).mean(axis=0) for each in pictures]
    assert robots[1] == pytest.approx(robots[0], abs=1.0)
    assert robots[2][0] < robots[0][0] - 20


def test_goals_are_marked() -> None:
    model = world(floor="")
    renderer = Renderer(drawn_scene(scene_pack(model)))
    plain = renderer.draw(poses_of(model))
    marked = renderer.draw(poses_of(model), [np.array([0.0, 1.0, 1.0], np.float32)])
    behind = renderer.draw(poses_of(model), [np.array([0.0, 0.0, np.inf], np.float32)])
    assert marked != plain
    assert isinstance(behind, Image.Image)


@pytest.mark.parametrize("task", TASKS)
def test_robots_of_all_tasks_fill_a_part_of_the_picture(task: str) -> None:
    model = model_of(task)
    renderer = Renderer(drawn_scene(scene_pack(model)))
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    poses = np.concatenate([data.xpos, data.xquat], axis=1).astype(np.float32)
    picture = np.asarray(renderer.draw(poses)).astype(int)
    away = poses.copy()
    away[1:, 2] += 100.0
    empty = np.asarray(renderer.draw(away)).astype(int)
    changed = (np.abs(picture - empty).sum(axis=2) > 30).mean()
    assert 0.003 < changed < 0.7


def test_a_picture_takes_less_than_a_tenth_of_a_second_of_processor_time() -> None:
    model = model_of("hopper_forward")
    renderer, poses = Renderer(drawn_scene(scene_pack(model))), poses_of(model)
    renderer.draw(poses)
    begin = time.process_time()
    for _ in range(5):
        renderer.draw(poses)
    assert (time.process_time() - begin) / 5 < 0.1


def test_poses_of_another_scene_are_refused() -> None:
    renderer = Renderer(drawn_scene(scene_pack(world())))
    with pytest.raises(ValueError, match=r"shape \(3, 7\), got \(2, 7\)"):
        renderer.draw(np.zeros((2, 7), np.float32))


def test_poses_that_are_not_numbers_are_drawn_somewhere() -> None:
    model = world()
    renderer = Renderer(drawn_scene(scene_pack(model)))
    for value in (np.nan, np.inf, -1e30):
        assert renderer.draw(np.full((3, 7), value, np.float32)).size == (320, 240)

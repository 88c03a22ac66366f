"""MuJoCo's own renderer in a child process, and its agreement with the software renderer."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from eureka_agent.errors import SimulationError
from eureka_agent.simulation.drawing import opengl
from eureka_agent.simulation.drawing.opengl import OpenGLRenderer, opengl_renderer
from eureka_agent.simulation.drawing.renderer import Renderer
from eureka_agent.simulation.drawing.scene import drawn_scene
from eureka_agent.simulation.drawing.view import View
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.scene import scene_pack
from eureka_agent.tasks.registry import find_task

WIDTH, HEIGHT = 320, 240


def cartpole() -> mujoco.MjModel:
    task = find_task("cartpole")
    assert isinstance(task, MujocoTask)
    return task.model


def moments(model: mujoco.MjModel) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return three poses (near the middle, far to the side, out of sight), and their cameras."""
    data = mujoco.MjData(model)
    poses: list[NDArray[np.float64]] = []
    for place, angle in ((0.2, 0.4), (-0.9, -1.2), (1_000.0, 0.0)):
        data.qpos[:] = (place, angle)
        mujoco.mj_kinematics(model, data)
        poses.append(np.concatenate([data.xpos, data.xquat], axis=1))
    whole = np.array(poses, np.float32)
    camera = drawn_scene(scene_pack(model)).camera
    views = [View.of(camera, each, WIDTH, HEIGHT) for each in whole]
    return whole, np.array([[*v.position, *v.axes[2]] for v in views], np.float32)


def differs(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where two pictures differ clearly: what moves in them."""
    apart = np.abs(one.astype(np.int64) - other.astype(np.int64)).sum(axis=2)
    found: NDArray[np.bool_] = apart > 40
    return found


@pytest.mark.slow
def test_both_renderers_show_the_robot_in_the_same_place() -> None:
    model = cartpole()
    poses, cameras = moments(model)
    renderer = opengl_renderer(model, WIDTH, HEIGHT)
    if renderer is None:
        pytest.skip("no OpenGL backend works on this machine")
    by_mujoco = list(renderer.pictures(poses, cameras))
    software = Renderer(drawn_scene(scene_pack(model)), WIDTH, HEIGHT)
    by_us = [np.asarray(software.draw(each)) for each in poses]
    for moment in (0, 1):
        theirs = differs(by_mujoco[moment], by_mujoco[2])
        ours = differs(by_us[moment], by_us[2])
        both, either = (theirs & ours).sum(), (theirs | ours).sum()
        assert either > 200
        assert both / either > 0.8


@pytest.mark.slow
def test_backend_that_does_not_exist_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opengl, "_LINUX", ("nonsense",))
    monkeypatch.setattr(opengl, "_BACKENDS", {})
    monkeypatch.setenv("MUJOCO_GL", "disable")
    assert opengl_renderer(cartpole(), WIDTH, HEIGHT) is None


@pytest.mark.slow
def test_child_that_ends_too_early_is_an_error() -> None:
    model = cartpole()
    poses, cameras = moments(model)
    broken = OpenGLRenderer(model, "nonsense", WIDTH, HEIGHT)
    with pytest.raises(SimulationError, match="stopped before its last picture"):
        list(broken.pictures(poses, cameras))

"""Pictures by MuJoCo's own renderer, where this machine has an OpenGL backend.

Loading OpenGL can end a process, so a child process tries each backend and draws.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import mujoco
import numpy as np
from numpy.typing import NDArray

from eureka_agent.errors import SimulationError

_CHILD = "eureka_agent.simulation.drawing.opengl_child"
_BACKENDS = {"darwin": ("cgl", "glfw"), "win32": ("wgl",)}
_LINUX = ("egl", "osmesa")
_TEST = "<mujoco><worldbody><geom size='0.5' rgba='1 0 0 1'/></worldbody></mujoco>"
"""A ball, to try a backend with."""
_TRY_S = 60.0
"""Time for one picture of one backend."""


class OpenGLRenderer:
    """Draws with one backend; made by `opengl_renderer`, which tries it."""

    def __init__(self, model: mujoco.MjModel, backend: str, width: int, height: int) -> None:
        self.backend = backend
        self._model = model
        self._width = width
        self._height = height

    def pictures(
        self, poses: NDArray[np.float32], cameras: NDArray[np.float32]
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield the picture of each moment.

        Args:
            poses: `(moments, bodies, 7)`: positions in m and quaternions (w, x, y, z).
            cameras: `(moments, 6)`: where the camera is, and a unit vector to where it looks.

        Yields:
            `(height, width, 3)` RGB.

        Raises:
            SimulationError: The child process ended too early.
        """
        size = self._width * self._height * 3
        with self._child(poses, cameras) as output:
            for _ in poses:
                pixels = output.read(size)
                if len(pixels) < size:
                    raise SimulationError(
                        f"MuJoCo's renderer ({self.backend}) stopped before its last picture."
                    )
                yield np.frombuffer(pixels, np.uint8).reshape(self._height, self._width, 3)

    def works(self) -> bool:
        """Return whether the backend draws the test scene as a picture that is not empty."""
        pose = np.array([[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]], np.float32)
        camera = np.array([-3.0, 0.0, 0.0, 1.0, 0.0, 0.0], np.float32)
        with tempfile.TemporaryDirectory() as folder:
            command = self._written(Path(folder), pose[None], camera[None])
            try:
                done = subprocess.run(
                    command, env=self._environment(), capture_output=True, timeout=_TRY_S
                )
            except subprocess.TimeoutExpired:
                return False
        pixels = np.frombuffer(done.stdout, np.uint8)
        complete = done.returncode == 0 and len(pixels) == self._width * self._height * 3
        return complete and float(pixels.std()) > 1.0

    @contextmanager
    def _child(
        self, poses: NDArray[np.float32], cameras: NDArray[np.float32]
    ) -> Iterator[IO[bytes]]:
        """Start the child for the time of a `with` block, and yield its output."""
        with tempfile.TemporaryDirectory() as folder:
            child = subprocess.Popen(
                self._written(Path(folder), poses, cameras),
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            assert child.stdout is not None
            try:
                yield child.stdout
            finally:
                child.kill()
                child.wait()
                child.stdout.close()

    def _written(
        self, folder: Path, poses: NDArray[np.float32], cameras: NDArray[np.float32]
    ) -> Sequence[str]:
        """Write what the child reads, and return its command."""
        mujoco.mj_saveModel(self._model, str(folder / "model.mjb"))
        np.save(folder / "poses.npy", poses)
        np.save(folder / "cameras.npy", cameras)
        size = (str(self._width), str(self._height))
        return [sys.executable, "-W", "ignore", "-m", _CHILD, str(folder), *size]

    def _environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if key != "PYOPENGL_PLATFORM"}
        return {**inherited, "MUJOCO_GL": self.backend}


def opengl_renderer(model: mujoco.MjModel, width: int, height: int) -> OpenGLRenderer | None:
    """Return a renderer with the first backend that draws a test scene; None if none does.

    Args:
        model: The compiled model.
        width: Of the pictures, in pixels.
        height: Of the pictures, in pixels.
    """
    asked = os.environ.get("MUJOCO_GL", "").casefold()
    known = _BACKENDS.get(sys.platform, _LINUX)
    first = (asked,) if asked not in ("", "disable", "disabled", "off", "false", "0") else ()
    for backend in dict.fromkeys((*first, *known)):
        test = OpenGLRenderer(mujoco.MjModel.from_xml_string(_TEST), backend, width, height)
        if test.works():
            return OpenGLRenderer(model, backend, width, height)
    return None

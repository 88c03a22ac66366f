"""Draw frames with MuJoCo's own renderer; runs in a process of its own, which may crash.

`python -m eureka_agent.simulation.drawing.opengl_child FOLDER WIDTH HEIGHT` reads the files that
`opengl.py` wrote and writes RGB pixels to standard output. MUJOCO_GL names the backend.
"""

from __future__ import annotations

import sys
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from eureka_agent.simulation.drawing.rotations import matrices


def main(folder: Path, width: int, height: int) -> None:
    """Write every frame."""
    model = mujoco.MjModel.from_binary_path(str(folder / "model.mjb"))
    poses, cameras = np.load(folder / "poses.npy"), np.load(folder / "cameras.npy")
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    model.vis.global_.offwidth, model.vis.global_.offheight = width, height
    options = mujoco.MjvOption()
    options.flags[mujoco.mjtVisFlag.mjVIS_TENDON] = False
    with mujoco.Renderer(model, height, width) as renderer:
        for pose, camera in zip(poses, cameras, strict=True):
            _place(model, data, pose)
            renderer.update_scene(data, _camera(camera), options)
            sys.stdout.buffer.write(renderer.render().tobytes())


def _place(model: mujoco.MjModel, data: mujoco.MjData, poses: NDArray[np.float32]) -> None:
    """Move all bodies with their geoms, sites and lights to `poses (bodies, 7)`."""
    rotations = matrices(poses[:, 3:])
    data.xpos[:], data.xquat[:] = poses[:, :3], poses[:, 3:]
    data.xmat[:] = rotations.reshape(-1, 9)
    data.xipos[:] = poses[:, :3]
    for kind in ("geom", "site"):
        body = getattr(model, f"{kind}_bodyid")
        turned = rotations[body]
        own = matrices(getattr(model, f"{kind}_quat"))
        offset = np.einsum("nij,nj->ni", turned, getattr(model, f"{kind}_pos"))
        getattr(data, f"{kind}_xpos")[:] = poses[body, :3] + offset
        getattr(data, f"{kind}_xmat")[:] = (turned @ own).reshape(-1, 9)
    mujoco.mj_camlight(model, data)


def _camera(place: NDArray[np.float32]) -> mujoco.MjvCamera:
    """Return a camera; `place (6,)`: its position, and a unit vector to where it looks."""
    position, forward = place[:3], place[3:]
    camera = mujoco.MjvCamera()
    camera.lookat[:] = position + forward
    camera.distance = 1.0
    camera.azimuth = float(np.degrees(np.arctan2(forward[1], forward[0])))
    camera.elevation = float(np.degrees(np.arcsin(np.clip(forward[2], -1.0, 1.0))))
    return camera


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

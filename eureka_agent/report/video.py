"""Write a replay as a video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eureka_agent.errors import UsageError
from eureka_agent.simulation.drawing.captions import write_caption
from eureka_agent.simulation.drawing.framing import framed
from eureka_agent.simulation.drawing.opengl import OpenGLRenderer, opengl_renderer
from eureka_agent.simulation.drawing.renderer import Renderer, mark_goals
from eureka_agent.simulation.drawing.scene import DrawnScene, drawn_scene
from eureka_agent.simulation.drawing.view import View
from eureka_agent.simulation.replay import ReplayedEpisode, replayed_episodes
from eureka_agent.utils.paths import check_writable

_WIDTH, _HEIGHT = 640, 480
_QUALITY = 7.0
_FEWEST_FRAMES_PER_S, _MOST_FRAMES_PER_S = 1.0, 60.0


def write_video(
    scene: bytes,
    replay: bytes,
    path: Path,
    *,
    episode: int = 0,
    model: mujoco.MjModel | None = None,
) -> str:
    """Write an episode of a replay as an mp4 file in real time.

    Without OpenGL the pictures are drawn by `simulation/drawing`.

    Args:
        scene: The run's scene (`Store.scene`).
        replay: A reward's replay (`Store.replay`).
        path: The file, which ends with `.mp4`; an existing one is replaced.
        episode: Index of the episode in the replay.
        model: The task's model, if it is at hand: MuJoCo's own renderer then draws it where an
            OpenGL backend works.

    Returns:
        What drew the pictures: the OpenGL backend, or `software`.

    Raises:
        UsageError: imageio-ffmpeg is missing, the file cannot be written, the packs are damaged, or
            there is no such episode.
    """
    if path.suffix.lower() != ".mp4":
        raise UsageError(f"--video writes mp4 files: name one that ends with .mp4, got {path}.")
    check_writable(path, "--video")
    try:
        drawn, episodes = drawn_scene(scene), replayed_episodes(replay)
    except ValueError as error:
        raise UsageError(f"The run's replay cannot be drawn: {error}.") from error
    if not 0 <= episode < len(episodes):
        raise UsageError(f"The replay has the episodes 0 to {len(episodes) - 1}, got {episode}.")
    chosen = episodes[episode]
    if chosen.poses.shape[1] != drawn.num_bodies:
        raise UsageError("The run's replay cannot be drawn: it has other bodies than its scene.")
    drawn = framed(drawn, chosen.poses)
    renderer = None
    if model is not None and model.nbody == drawn.num_bodies:
        renderer = opengl_renderer(model, _WIDTH, _HEIGHT)
    pictures = _drawn(drawn, chosen) if renderer is None else _rendered(drawn, chosen, renderer)
    _encode(_frames(pictures, chosen), path, 1.0 / chosen.frame_s)
    return "software" if renderer is None else renderer.backend


def _drawn(scene: DrawnScene, episode: ReplayedEpisode) -> Iterator[Image.Image]:
    """Yield the picture of each frame."""
    renderer = Renderer(scene, _WIDTH, _HEIGHT)
    for number, poses in enumerate(episode.poses):
        yield renderer.draw(poses, [goal[number] for goal in episode.goals])


def _rendered(
    scene: DrawnScene, episode: ReplayedEpisode, renderer: OpenGLRenderer
) -> Iterator[Image.Image]:
    """Yield the picture of each frame, drawn by MuJoCo."""
    cameras = _cameras(scene, episode.poses)
    for number, pixels in enumerate(renderer.pictures(episode.poses, cameras)):
        image = Image.fromarray(pixels)
        view = View.of(scene.camera, episode.poses[number], _WIDTH, _HEIGHT)
        mark_goals(image, [goal[number] for goal in episode.goals], view)
        yield image


def _cameras(scene: DrawnScene, poses: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `(frames, 6)`: the camera's position and direction at each moment."""
    views = [View.of(scene.camera, each, _WIDTH, _HEIGHT) for each in poses]
    return np.array([[*view.position, *view.axes[2]] for view in views], np.float32)


def _frames(pictures: Iterator[Image.Image], episode: ReplayedEpisode) -> Iterator[bytes]:
    """Yield the pixels of each frame with its time, RGB."""
    for number, picture in enumerate(pictures):
        write_caption(picture, (0, 0), f"{episode.kind}, {number * episode.frame_s:.2f} s")
        yield np.asarray(picture).tobytes()


def _encode(frames: Iterator[bytes], path: Path, frames_per_s: float) -> None:
    try:
        import imageio_ffmpeg  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            "--video needs imageio-ffmpeg: pip install 'eureka-agent[video]'."
        ) from error
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (_WIDTH, _HEIGHT),
        fps=min(_MOST_FRAMES_PER_S, max(_FEWEST_FRAMES_PER_S, frames_per_s)),
        quality=_QUALITY,
    )
    try:
        writer.send(None)
        for frame in frames:
            writer.send(frame)
    except OSError as error:
        raise UsageError(f"ffmpeg could not write {path}: {error}.") from error
    finally:
        writer.close()

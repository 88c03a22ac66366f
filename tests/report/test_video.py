"""Videos of replays."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import mujoco
import pytest
import torch

from eureka_agent.errors import UsageError
from eureka_agent.report import video
from eureka_agent.report.video import write_video
from eureka_agent.simulation.recording import EpisodeRecorder, RecordedEpisode
from eureka_agent.simulation.rollouts import run_episodes
from tests.support.toy_task import ToyTask

imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="the extra `video` is not installed")


@pytest.fixture(scope="module")
def replay() -> bytes:
    """Return the replay of an episode of the toy task: 2 s in steps of 0.02 s."""
    task = ToyTask()
    recorder = EpisodeRecorder(task)
    run_episodes(
        task,
        [lambda observation: torch.zeros(len(observation), 1)],
        episodes=1,
        seed=0,
        watch=recorder.watch,
        started=recorder.started,
    )
    written = recorder.replay([RecordedEpisode("median", 0, 30, None, "")], lambda episode: {})
    assert written is not None
    return written


def test_video_plays_in_real_time(tmp_path: Path, replay: bytes) -> None:
    path = tmp_path / "hop.mp4"
    assert write_video(ToyTask().scene(), replay, path) == "software"
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == 15
    assert seconds == pytest.approx(0.6, abs=0.05)
    meta = next(imageio_ffmpeg.read_frames(str(path)))
    assert meta["size"] == (640, 480)


@pytest.mark.parametrize(
    ("name", "episode", "says"),
    [
        ("hop.gif", 0, "name one that ends with .mp4"),
        ("missing/hop.mp4", 0, "Cannot write to"),
        ("hop.mp4", 1, "has the episodes 0 to 0, got 1"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, replay: bytes, name: str, episode: int, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        write_video(ToyTask().scene(), replay, tmp_path / name, episode=episode)
    assert not (tmp_path / name).exists()


def test_damaged_replay_is_refused(tmp_path: Path, replay: bytes) -> None:
    with pytest.raises(UsageError, match="The run's replay cannot be drawn: the block is damaged"):
        write_video(ToyTask().scene(), replay[:50], tmp_path / "hop.mp4")


def test_missing_package_is_named_with_the_command(
    tmp_path: Path, replay: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "imageio_ffmpeg":
            raise ImportError(name)
        return imported(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"pip install 'eureka-agent\[video\]'"):
        video.write_video(ToyTask().scene(), replay, tmp_path / "hop.mp4")


@pytest.mark.slow
def test_mujoco_draws_the_video_where_opengl_works(tmp_path: Path, replay: bytes) -> None:
    path = tmp_path / "hop.mp4"
    task = ToyTask()
    drawn_by = write_video(task.scene(), replay, path, model=task.model)
    if drawn_by == "software":
        pytest.skip("no OpenGL backend works on this machine")
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == 15


def test_model_with_other_bodies_is_not_used(tmp_path: Path, replay: bytes) -> None:
    other = mujoco.MjModel.from_xml_string("<mujoco/>")
    path = tmp_path / "hop.mp4"
    assert write_video(ToyTask().scene(), replay, path, model=other) == "software"

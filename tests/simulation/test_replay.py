"""A replay is read as it was recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from eureka_agent.simulation.recording import EpisodeRecorder, RecordedEpisode
from eureka_agent.simulation.replay import replayed_episodes
from eureka_agent.simulation.rollouts import run_episodes
from eureka_agent.utils.pack import PackWriter
from tests.support.toy_task import ToyTask


def test_poses_and_goals_are_those_that_were_recorded() -> None:
    task = ToyTask()
    recorder = EpisodeRecorder(task)
    (numbers,) = run_episodes(
        task,
        [lambda observation: torch.full((len(observation), 1), 0.3)],
        episodes=2,
        seed=0,
        watch=recorder.watch,
        started=recorder.started,
    )
    length = int(numbers["length"][1])
    kept = RecordedEpisode("median", 1, length, None, "time limit")
    replay = recorder.replay([kept], lambda episode: {})
    assert replay is not None
    (episode,) = replayed_episodes(replay)

    stride = round(episode.frame_s / task.dt)
    assert episode.kind == "median"
    assert len(episode.poses) == (length - 1) // stride + 1
    assert episode.poses.shape[1:] == (task.model.nbody, 7)
    places = episode.poses[:, 1, 0]
    assert (np.diff(places) > 0.0).sum() > len(places) / 2  # it is pushed to the right
    assert np.allclose(episode.poses[:, 1, 3:], [1.0, 0.0, 0.0, 0.0], atol=1e-4)
    assert len(episode.goals) == 1
    assert episode.goals[0].shape == (len(episode.poses), 3)


def packed(change: Callable[[dict[str, Any]], object] = lambda header: None) -> bytes:
    writer = PackWriter()
    header: dict[str, Any] = {
        "v": 1,
        "bodies": 1,
        "step_s": 0.1,
        "episodes": [
            {
                "kind": "best",
                "stride": 1,
                "frames": 2,
                "poses": writer.add("i16", np.array([30_000] * 7 + [5_000] * 7)),
                "scale": [1.0, 1.0, 1.0],
                "off": [0.0, 0.0, 0.0],
                "goals": [],
            }
        ],
    }
    change(header)
    return writer.pack(header)


def test_changes_wrap_around_in_16_bits() -> None:
    (episode,) = replayed_episodes(packed())
    assert episode.poses[:, 0, 0].tolist() == [30_000.0, 35_000.0 - 65_536.0]


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.pop("bodies"),
        lambda h: h.update(bodies=0),
        lambda h: h.update(step_s="soon"),
        lambda h: h.update(step_s=0.0),
        lambda h: h.update(episodes=5),
        lambda h: h["episodes"][0].update(frames=3),
        lambda h: h["episodes"][0].update(frames=0),
        lambda h: h["episodes"][0].update(frames=-2),
        lambda h: h["episodes"][0].update(scale=[1.0]),
        lambda h: h["episodes"][0].update(goals=[{"points": {}}]),
        lambda h: h["episodes"].__setitem__(0, "x"),
    ],
)
def test_damaged_replays_are_refused(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(ValueError, match="the replay is damaged"):
        replayed_episodes(packed(change))

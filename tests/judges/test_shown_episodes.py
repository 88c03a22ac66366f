"""What a vision model is shown of an episode."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from eureka_agent.errors import UsageError
from eureka_agent.judges.shown_episodes import MOMENTS, _moments, scene_of, shown_episodes
from eureka_agent.simulation.batched_env import BatchedEnv
from eureka_agent.simulation.subset import SubsetEnv
from tests.support.toy_task import ToyTask


def push(observation: Tensor) -> Tensor:
    return torch.full((len(observation), 1), 0.2)


def rest(observation: Tensor) -> Tensor:
    return torch.zeros(len(observation), 1)


def test_every_policy_has_its_episodes_with_a_picture_and_a_table() -> None:
    pushed, rested = shown_episodes(ToyTask(), [push, rest], episodes=2, seed=0)
    assert len(pushed) == len(rested) == 2
    for episode in (*pushed, *rested):
        image = Image.open(io.BytesIO(episode.image))
        assert image.size == (4 * 324 - 4, 4 * 244 - 4)
        assert len(episode.times) == len(episode.rows) == MOMENTS
        assert [row[0] for row in episode.rows] == list(episode.times)
    assert pushed[0].length_s <= 2.0
    assert pushed[0].columns[:2] == ["mass_pos.x m", "mass_speed m/s"]
    assert pushed[0].image != pushed[1].image
    again, _ = shown_episodes(ToyTask(), [push, rest], episodes=2, seed=0)
    assert again == pushed


def test_short_movement_in_a_long_episode_is_seen() -> None:
    poses = np.zeros((240, 2, 7), np.float32)
    poses[..., 3] = 1.0
    angles = np.linspace(0.0, np.pi, 12)
    poses[100:112, 1, 3], poses[100:112, 1, 4] = np.cos(angles), np.sin(angles)
    poses[112:, 1, 3] = -1.0  # the same rotation as at the start
    moments = _moments(poses, 1.0)
    assert moments[0] == 0
    assert moments[-1] == 239
    assert len(moments) == MOMENTS
    assert sum(99 <= each <= 112 for each in moments) >= 6


def test_short_episodes_are_shown_whole() -> None:
    assert _moments(np.zeros((3, 1, 7), np.float32), 1.0) == [0, 1, 2]


def test_task_without_a_scene_is_refused() -> None:
    class Blind(ToyTask):
        def scene(self) -> bytes | None:  # type: ignore[override]
            return None

    with pytest.raises(UsageError, match="the task toy has no scene to draw"):
        scene_of(Blind())


def test_simulator_without_poses_is_refused() -> None:
    class Elsewhere(ToyTask):
        def make_env(  # type: ignore[override]
            self,
            num_envs: int,
            *,
            seed: int,
            streams: int | None = None,
            device: str = "cpu",
            threads: int | None = None,
            reads: Iterable[str] | None = None,
        ) -> BatchedEnv:
            own = super().make_env(num_envs, seed=seed, streams=streams, reads=reads)
            return SubsetEnv(own)

    with pytest.raises(UsageError, match="does not say where bodies are"):
        shown_episodes(Elsewhere(), [rest], episodes=1, seed=0)

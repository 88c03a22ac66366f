"""Record episodes of an evaluation, and write the best, the median and the worst as a replay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eureka_agent.simulation.batched_env import BatchedEnv, Step, SupportsPoses
from eureka_agent.tasks.task import State, Task
from eureka_agent.utils.pack import PackWriter, finite, to_16_bits

_FRAMES_PER_S = 30.0
_MOST_FRAMES = 400
"""Frames of an episode; a longer one has fewer per second."""
_MOST_SERIES = 12
"""Components of a reward that a replay shows."""
_QUATERNION_STEPS = 32_767
_LARGEST_M = 1e5
"""A body that is farther away has diverged; its place would spoil the rounding of the others."""

Series = Mapping[str, Tensor]
"""What each step of an episode was paid by name, `(steps,)` each."""


@dataclass(frozen=True)
class RecordedEpisode:
    """One episode of a replay."""

    kind: str
    """`median`, `best` or `worst`; `typical`, `longest` or `shortest` where no fitness counts."""
    env: int
    """The environment that it ran in."""
    length: int
    """In environment steps."""
    fitness: float | None
    end: str
    """Why it ended."""


class EpisodeRecorder:
    """Records the first episode of every environment; `started` and `watch` are for
    `run_episodes`."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._stride = max(
            1,
            round(1.0 / (_FRAMES_PER_S * task.dt)),
            -(-task.max_episode_steps // _MOST_FRAMES),
        )
        self._env: SupportsPoses | None = None
        self._frames: list[Tensor] = []
        """`(num_envs, size)` each: every `stride`-th configuration."""
        self._goals: list[Mapping[str, Tensor]] = []
        """`(num_envs, 3)` each, at the same moments."""
        self._gains: list[Tensor] = []
        """`(num_envs,)` each: the fitness that every step added."""

    @property
    def records(self) -> bool:
        """Whether the simulator can tell where bodies are."""
        return self._env is not None

    def started(self, env: BatchedEnv) -> None:
        """Note the environments, and record the start."""
        if isinstance(env, SupportsPoses):
            self._env = env
            self._note(env.state)

    def watch(self, before: State, step: Step) -> None:
        """Record a step."""
        del before
        if self._env is None:
            return
        self._gains.append(step.fitness.cpu())
        if len(self._gains) % self._stride == 0:
            self._note(self._env.state)

    def _note(self, state: State) -> None:
        assert self._env is not None
        self._frames.append(self._env.configuration.cpu())
        goals = self._task.goals(state)
        self._goals.append({name: place.cpu() for name, place in goals.items()})

    # ------------------------------------------------------------------ write
    def replay(
        self, episodes: Sequence[RecordedEpisode], series_of: Callable[[RecordedEpisode], Series]
    ) -> bytes | None:
        """Return some of the recorded episodes.

        Args:
            episodes: What to write, in the order in which they are shown.
            series_of: Returns what each step of an episode was paid.

        Returns:
            A pack (`utils/pack.py`); None if the simulator's episodes cannot be recorded.
        """
        if self._env is None:
            return None
        writer = PackWriter()
        written = [self._written(each, series_of(each), writer) for each in episodes]
        header = {
            "v": 1,
            "bodies": written[0]["poses"]["n"] // (7 * written[0]["frames"]) if written else 0,
            "step_s": self._task.dt,
            "unit": self._task.fitness_unit if episodes[0].fitness is not None else None,
            "episodes": written,
        }
        return writer.pack(header)

    def _written(
        self, episode: RecordedEpisode, series: Series, writer: PackWriter
    ) -> dict[str, Any]:
        # After its last step, an environment is in its next episode.
        frames = (episode.length - 1) // self._stride + 1
        rows = torch.stack([frame[episode.env] for frame in self._frames[:frames]])
        assert self._env is not None
        found = self._env.poses(rows)
        scale, offset, poses = _rounded(found.poses)
        points = np.concatenate([np.zeros((0, 3), np.float32), *found.contacts])
        return {
            "kind": episode.kind,
            "fitness": None if episode.fitness is None else finite(episode.fitness),
            "length": episode.length,
            "end": episode.end,
            "stride": self._stride,
            "frames": frames,
            "poses": writer.add("i16", poses),
            "scale": scale.tolist(),
            "off": offset.tolist(),
            "contacts": {
                "counts": writer.add("u16", np.array([len(each) for each in found.contacts])),
                "points": writer.add("f32", _finite(points)),
            },
            "goals": self._written_goals(episode, frames, writer),
            "series": self._written_series(episode, series, frames, writer),
        }

    def _written_goals(
        self, episode: RecordedEpisode, frames: int, writer: PackWriter
    ) -> list[dict[str, Any]]:
        goals: list[dict[str, Any]] = []
        for name in self._goals[0]:
            places = torch.stack([goal[name][episode.env] for goal in self._goals[:frames]])
            goals.append({"name": name, "points": writer.add("f32", _finite(places.numpy()))})
        return goals

    def _written_series(
        self, episode: RecordedEpisode, series: Series, frames: int, writer: PackWriter
    ) -> list[dict[str, Any]]:
        shown: list[tuple[str, str, Tensor]] = []
        for name, values in list(series.items())[: _MOST_SERIES + 1]:
            shown.append((name, "reward" if name == "reward" else "component", values))
        if episode.fitness is not None:
            gains = torch.stack([gain[episode.env] for gain in self._gains[: episode.length]])
            shown.append(("fitness", "fitness", gains))
        return [
            {"name": name, "kind": kind, "values": self._per_frame(values, frames, writer)}
            for name, kind, values in shown
        ]

    def _per_frame(self, values: Tensor, frames: int, writer: PackWriter) -> dict[str, int | str]:
        """Write the mean of the steps since the frame before; at the start that of the first."""
        steps = np.append(values.double().numpy(), np.zeros(frames * self._stride))
        means = steps[: (frames - 1) * self._stride].reshape(frames - 1, self._stride).mean(axis=1)
        return writer.add("f32", _finite(np.append(steps[:1], means)))


def chosen_episodes(
    numbers: Mapping[str, Tensor],
    *,
    first_env: int,
    among: int,
    has_fitness: bool,
    end_of: Callable[[int], str],
) -> list[RecordedEpisode]:
    """Choose the episodes of a policy that its replay shows.

    Args:
        numbers: What `run_episodes` returned for the policy.
        first_env: The environment of its first episode.
        among: Only this many of its first episodes are considered.
        has_fitness: Whether the fitness says how good an episode is; if not, the length decides
            what is shown, and the replay names no fitness.
        end_of: Returns why the episode of an environment ended.

    Returns:
        The median episode, the best, and the worst, without those that are equal in number.
    """
    counted = numbers["fitness" if has_fitness else "length"][:among]
    order = counted.double().argsort(stable=True).tolist()
    kinds = ("median", "best", "worst") if has_fitness else ("typical", "longest", "shortest")
    picked: dict[int, str] = {}
    for kind, index in zip(kinds, (order[(len(order) - 1) // 2], order[-1], order[0]), strict=True):
        if all(float(counted[index]) != float(counted[other]) for other in picked):
            picked[index] = kind
    return [
        RecordedEpisode(
            kind,
            first_env + index,
            int(numbers["length"][index]),
            float(numbers["fitness"][index]) if has_fitness else None,
            end_of(first_env + index),
        )
        for index, kind in picked.items()
    ]


def _rounded(
    poses: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int16]]:
    """Round poses `(frames, bodies, 7)` to 16 bits, as changes since the frame before."""
    near = np.clip(_finite(poses[..., :3]), -_LARGEST_M, _LARGEST_M)
    scale, offset, positions = to_16_bits(near)
    whole = np.empty(poses.shape, np.int64)
    whole[..., :3] = positions
    whole[..., 3:] = np.round(_continuous(_finite(poses[..., 3:])) * _QUATERNION_STEPS)
    whole[1:] -= whole[:-1].copy()
    changes = (whole & 0xFFFF).astype(np.uint16).view(np.int16)
    return scale, offset, changes


def _continuous(quaternions: NDArray[Any]) -> NDArray[Any]:
    """Return the same rotations `(frames, bodies, 4)` without changes of sign between frames."""
    products = (quaternions[1:] * quaternions[:-1]).sum(axis=-1)
    flips = np.where(products < 0.0, -1.0, 1.0).cumprod(axis=0)
    result: NDArray[Any] = quaternions.astype(np.float64).copy()
    result[1:] *= flips[..., None]
    return result.clip(-1.0, 1.0)


def _finite(values: NDArray[Any]) -> NDArray[Any]:
    finite_values: NDArray[Any] = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return finite_values

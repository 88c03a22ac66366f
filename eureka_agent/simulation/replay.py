"""Read replay packs: the recorded episodes of a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eureka_agent.text import one_line
from eureka_agent.utils.pack import Pack, unpack

_QUATERNION_STEPS = 32_767


@dataclass(frozen=True)
class ReplayedEpisode:
    """One episode of a replay."""

    kind: str
    """Why it is shown, such as `best`."""
    frame_s: float
    """Seconds from one frame to the next."""
    poses: NDArray[np.float32]
    """`(frames, bodies, 7)`: positions in m and quaternions (w, x, y, z) in the world."""
    goals: tuple[NDArray[np.float32], ...]
    """`(frames, 3)` each: marked places in m."""


def replayed_episodes(replay: bytes) -> tuple[ReplayedEpisode, ...]:
    """Read a replay pack.

    Args:
        replay: What `EpisodeRecorder.replay` returned; it may come from somebody else.

    Returns:
        Its episodes.

    Raises:
        ValueError: It is damaged.
    """
    pack = unpack(replay)
    try:
        step_s, bodies = float(pack.header["step_s"]), int(pack.header["bodies"])
        return tuple(_episode(each, step_s, bodies, pack) for each in pack.header["episodes"])
    except (KeyError, TypeError, IndexError, OverflowError, AttributeError, ValueError) as error:
        raise ValueError(f"the replay is damaged ({one_line(str(error), 80)})") from error


def _episode(header: dict[str, Any], step_s: float, bodies: int, pack: Pack) -> ReplayedEpisode:
    frames = int(header["frames"])
    frame_s = int(header["stride"]) * step_s
    if not (frames > 0 and bodies > 0 and 1e-6 < frame_s < 1e6):
        raise ValueError("it has no frames, or they take no time")
    changes = pack.array(header["poses"]).reshape(frames, bodies, 7)
    rounded = changes.cumsum(axis=0, dtype=np.int16)  # wraps around, as it was written
    poses = rounded.astype(np.float32)
    poses[..., :3] = poses[..., :3] * _three(header["scale"]) + _three(header["off"])
    poses[..., 3:] /= _QUATERNION_STEPS
    goals = [pack.array(goal["points"]).reshape(frames, 3) for goal in header["goals"]]
    return ReplayedEpisode(str(header["kind"]), frame_s, poses, tuple(goals))


def _three(values: object) -> NDArray[np.float32]:
    numbers = np.asarray(values, np.float32)
    if numbers.shape != (3,) or not np.isfinite(numbers).all():
        raise ValueError("it holds something that is not a number")
    return numbers

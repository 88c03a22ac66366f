"""Replays for tests: recorded episodes of bundled tasks, and a scene that is known exactly."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eureka_agent.checks import check_source
from eureka_agent.jail import Sandbox
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.rollouts import random_actions
from eureka_agent.simulation.scene import scene_pack
from eureka_agent.tasks.registry import find_task
from eureka_agent.training.evaluation import EvaluatedPolicy, evaluate_with_behaviour
from eureka_agent.utils.pack import PackWriter, to_16_bits

HUMAN_REWARD = Path(__file__).parents[2] / "envs/ant_forward/human_reward.py"
FRAMES, STEP_S = 101, 0.02
EPISODE_S = (FRAMES - 1) * STEP_S
BODIES = 2
"""The world, and a ball that moves along x."""
Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Recording:
    """A scene and a replay in it, as packs."""

    scene: bytes
    replay: bytes


def recorded(name: str, *, sandbox: Sandbox | None = None, seed: int = 0) -> Recording:
    """Return episodes of a task with random actions, paid by the ant's human reward if a sandbox
    is given."""
    task = find_task(name)
    assert isinstance(task, MujocoTask)
    reward = None
    if sandbox is not None:
        source = check_source(HUMAN_REWARD.read_text("utf-8"), task.reward_inputs)
        reward = sandbox.open(source, task.reward_inputs, max_rows=64)
    policy = EvaluatedPolicy(random_actions(task, seed=seed), reward)
    (found,) = evaluate_with_behaviour(
        task, [policy], episodes=3, seed=seed, max_rows=64, threads=1
    )
    assert found.replay is not None
    return Recording(scene_pack(task.model), found.replay)


# ---------------------------------------------------------------------- a known scene
def ball_x(frame: int) -> float:
    """Return where the ball is: it moves by 2 m within the episode."""
    return 2.0 * frame / (FRAMES - 1)


@cache
def ball_scene() -> bytes:
    """Return a red ball on the ground, seen from the side, and a hill far behind it."""
    return changed_scene(lambda header: None)


def changed_scene(change: Change) -> bytes:
    """Return the scene of the ball after a change of its header."""
    writer = PackWriter()
    camera = {"pos": [0.0, -3.0, 1.0], "target": [0.0, 0.0, 0.3], "fovy": 45.0, "track": 1}
    heights = np.zeros((8, 8), np.float32)
    heights[3:5, 3:5] = 1.0
    header: dict[str, Any] = {
        "v": 1,
        "bodies": ["world", "ball"],
        "extent": 2.0,
        "camera": camera,
        "geoms": [
            _geom("plane", 0, [5.0, 5.0, 0.1], [0.0, 0.0, 0.0], [0.5, 0.5, 0.5, 1.0]),
            _geom("sphere", 1, [0.3, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 1.0]),
            _geom("hfield", 0, [0.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 1.0, 1.0])
            | {"hfield": 0},
            _geom("mesh", 0, [0.0, 0.0, 0.0], [-0.9, 0.0, 0.2], [1.0, 0.0, 1.0, 1.0]) | {"mesh": 0},
        ],
        "meshes": [_tetrahedron(writer)],
        "hfields": [
            {"rows": 8, "cols": 8, "size": [2.0, 2.0, 1.0, 0.1], "data": writer.add("f32", heights)}
        ],
    }
    change(header)
    return writer.pack(header)


def _geom(
    kind: str, body: int, size: list[float], pos: list[float], rgba: list[float]
) -> dict[str, Any]:
    quat = [1.0, 0.0, 0.0, 0.0]
    return {"type": kind, "body": body, "size": size, "pos": pos, "quat": quat, "rgba": rgba}


def _tetrahedron(writer: PackWriter) -> dict[str, Any]:
    corners = 0.2 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], np.float64)
    scale, offset, rounded = to_16_bits(corners)
    faces = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
    return {
        "vert": writer.add("i16", rounded),
        "face": writer.add("u16", faces),
        "scale": scale.tolist(),
        "off": offset.tolist(),
    }


@cache
def ball_replay() -> bytes:
    """Return two episodes: the ball moves to the right, and the ball stands for half of the time.

    In the first the component `speed` is the frame, `cost` is -1, and the fitness is 2.
    """
    return changed_replay(lambda header: None)


def changed_replay(change: Change, names: Mapping[str, str] | None = None) -> bytes:
    """Return the replay of the ball after a change of its header.

    `names`: other names for components.
    """
    called = names or {}
    writer = PackWriter()
    moving = np.array([ball_x(frame) for frame in range(FRAMES)])
    header: dict[str, Any] = {
        "v": 1,
        "bodies": BODIES,
        "step_s": STEP_S,
        "unit": "m/s",
        "episodes": [
            _episode(writer, "median", 2.5, moving, called),
            _episode(writer, "worst", 0.5, np.zeros(FRAMES // 2), called),
        ],
    }
    change(header)
    return writer.pack(header)


def _episode(
    writer: PackWriter,
    kind: str,
    fitness: float,
    places: NDArray[np.float64],
    names: Mapping[str, str],
) -> dict[str, Any]:
    frames = len(places)
    poses = np.zeros((frames, BODIES, 7))
    poses[..., 3] = 1.0
    poses[:, 1, 0] = places
    poses[:, 1, 2] = 0.3
    scale, offset, positions = to_16_bits(poses[..., :3])
    whole = np.round(poses * 32_767).astype(np.int64)
    whole[..., :3] = positions
    whole[1:] -= whole[:-1].copy()
    touching = np.stack([places, np.zeros(frames), np.zeros(frames)], axis=1)
    goal = np.tile([1.0, 0.0, 0.8], (frames, 1))
    series = {
        "speed": ("component", np.arange(frames)),
        "cost": ("component", np.full(frames, -1.0)),
        "reward": ("reward", np.arange(frames) - 1.0),
        "fitness": ("fitness", np.full(frames, 2.0)),
    }
    return {
        "kind": kind,
        "fitness": fitness,
        "length": frames,
        "end": "time limit" if kind == "median" else "ball stood still",
        "stride": 1,
        "frames": frames,
        "poses": writer.add("i16", (whole & 0xFFFF).astype(np.uint16).view(np.int16)),
        "scale": scale.tolist(),
        "off": offset.tolist(),
        "contacts": {
            "counts": writer.add("u16", np.ones(frames)),
            "points": writer.add("f32", touching),
        },
        "goals": [{"name": "finish", "points": writer.add("f32", goal)}],
        "series": [
            {"name": names.get(name, name), "kind": form, "values": writer.add("f32", values)}
            for name, (form, values) in series.items()
        ],
    }


def bomb(size: int) -> bytes:
    """Return a gzip file of this many zeros."""
    return gzip.compress(bytes(size), 9)

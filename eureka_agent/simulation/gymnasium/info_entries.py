"""Which entries of `info` are numbers, found by a few random steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from eureka_agent.errors import TaskError
from eureka_agent.simulation.gymnasium.making import reason_of, start_episode
from eureka_agent.simulation.gymnasium.recipe import InfoEntry

EPISODES, STEPS = 2, 20
"""How many random steps are tried, with fixed seeds."""
_MOST = 16
"""Numbers of one entry."""
_OF_REWARDS = frozenset("reward rewards rew return returns cost costs penalty bonus score".split())
"""Words in the names of entries that would tell what the environment itself pays."""


@dataclass(frozen=True)
class TriedSteps:
    """What an environment showed in a few random steps."""

    infos: tuple[Mapping[str, Any], ...]
    rewards: tuple[float, ...]
    step_s: float
    """Seconds of a step."""


def try_steps(env: gymnasium.Env[Any, Any], name: str, *, steps: int = STEPS) -> TriedSteps:
    """Take random steps in two episodes, at most `steps` in each.

    Raises:
        TaskError: The environment fails.
    """
    infos: list[Mapping[str, Any]] = []
    rewards: list[float] = []
    seconds = 0.0
    try:
        env.action_space.seed(0)
        for episode in range(EPISODES):
            start_episode(env, episode)
            for _ in range(steps):
                action = env.action_space.sample()
                begin = time.perf_counter()
                _, reward, terminated, truncated, info = env.step(action)
                seconds += time.perf_counter() - begin
                infos.append(dict(info))
                rewards.append(float(reward))
                if terminated or truncated:
                    break
    except Exception as error:
        raise TaskError(f"The environment {name} fails in a step: {reason_of(error)}.") from error
    return TriedSteps(tuple(infos), tuple(rewards), seconds / len(infos))


def numeric_entries(tried: TriedSteps) -> tuple[InfoEntry, ...]:
    """Return the entries that are numbers, or arrays of at most 16, in every step that has them."""
    values: dict[str, list[object]] = {}
    for info in tried.infos:
        for key, value in info.items():
            values.setdefault(str(key), []).append(value)
    entries: list[InfoEntry] = []
    for key, seen in sorted(values.items()):
        shapes = {_shape_of(value) for value in seen}
        shape = shapes.pop()
        if shape is not None and not shapes:
            is_flag = all(isinstance(value, bool | np.bool_) for value in seen)
            entries.append(InfoEntry(key, int(np.prod(shape)), shape, is_flag))
    return tuple(entries)


def tells_reward(entry: InfoEntry, tried: TriedSteps) -> bool:
    """Whether an entry tells what the environment itself pays: by its name or by its values."""
    if _OF_REWARDS & set(entry.key.lower().replace("-", "_").split("_")):
        return True
    if entry.size != 1:
        return False
    pairs = [
        (float(np.asarray(info[entry.key]).reshape(())), paid)
        for info, paid in zip(tried.infos, tried.rewards, strict=True)
        if entry.key in info
    ]
    values, paid = np.array(pairs).T
    return bool(np.allclose(values, paid) or np.allclose(values, -paid))


def _shape_of(value: object) -> tuple[int, ...] | None:
    """Return the shape of a number or a short array of numbers, or None for anything else."""
    if isinstance(value, bool | int | float | np.number | np.bool_):
        return None if np.iscomplexobj(value) else ()
    if not isinstance(value, np.ndarray) or value.ndim > 1 or not 1 <= value.size <= _MOST:
        return None
    is_number = np.issubdtype(value.dtype, np.number) or value.dtype == np.bool_
    return value.shape if is_number and not np.iscomplexobj(value) else None

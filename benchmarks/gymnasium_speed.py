"""Compare the speed of the batch engine and of Gymnasium's vector environments.

    ours    `MujocoEnvironment.step`: control, physics, state, observation, own reward, ends, new
            episodes, for all environments at once
    sync    `gymnasium.make_vec(id, num_envs, vectorization_mode="sync")`: one after the other
    async   the same with `"async"`: one process per environment

All have the same number of environments and take random actions, drawn before the clock starts.
The sides take turns, and ratios are taken within a repeat. Run with `python -m
benchmarks.gymnasium_speed`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import torch
import tyro

from benchmarks.measure import interleaved, ratio, table
from eureka_agent.simulation.gymnasium.fitness import fitness_rule
from eureka_agent.simulation.gymnasium.mujoco_v5 import ENVIRONMENTS, batch_task

DRAWN = 32
"""Number of different actions per environment, used in turn."""


def main(
    envs: tuple[str, ...] = tuple(ENVIRONMENTS),
    num_envs: int = 16,
    seconds: float = 1.0,
    repeats: int = 7,
    quick: bool = False,
) -> None:
    """Measure and print a table with one row per environment.

    Args:
        envs: Ids of MuJoCo v5 environments.
        num_envs: Number of environments on each side.
        seconds: Length of each run.
        repeats: Runs of each side.
        quick: Two environments, two short runs each.
    """
    if quick:
        envs, seconds, repeats = ("InvertedPendulum-v5", "Ant-v5"), 0.1, 2
    rows = [_row(env, num_envs, seconds, repeats) for env in envs]
    header = ("environment", "ours, steps/s", "sync", "async", "ours / sync", "ours / async")
    table(f"{num_envs} environments, {repeats} runs of {seconds:g} s:", header, rows)


def _row(env: str, num_envs: int, seconds: float, repeats: int) -> tuple[str, ...]:
    vectors = {
        mode: gymnasium.make_vec(env, num_envs=num_envs, vectorization_mode=mode)
        for mode in ("sync", "async")
    }
    steps: dict[str, Callable[[int], object]] = {
        "ours": _ours(env, num_envs),
        "sync": _theirs(vectors["sync"]),
        "async": _theirs(vectors["async"]),
    }
    runs = {side: partial(_speed, step, num_envs, seconds) for side, step in steps.items()}
    speeds = interleaved(runs, repeats)
    for vector in vectors.values():
        vector.close()
    ours = speeds["ours"]
    medians = [f"{statistics.median(values):,.0f}" for values in speeds.values()]
    ratios = [f"{ratio(ours, speeds[side]):.1f} x" for side in vectors]
    return (env, *medians, *ratios)


def _ours(env: str, num_envs: int) -> Callable[[int], object]:
    task = batch_task(env, {}, fitness_rule("env_return"))
    assert task is not None
    environment = task.make_env(num_envs, seed=0, reads=())
    generator = torch.Generator().manual_seed(0)
    shape = (DRAWN, num_envs, task.action_size)
    actions = torch.rand(shape, generator=generator) * 2.0 - 1.0
    return lambda step: environment.step(actions[step % DRAWN])


def _theirs(vector: gymnasium.vector.VectorEnv[Any, Any, Any]) -> Callable[[int], object]:
    vector.reset(seed=0)
    space = vector.action_space
    assert isinstance(space, gymnasium.spaces.Box)
    drawn = np.random.default_rng(0).uniform(space.low, space.high, (DRAWN, *space.shape))
    actions = drawn.astype(np.float32)
    return lambda step: vector.step(actions[step % DRAWN])


def _speed(step: Callable[[int], object], num_envs: int, seconds: float, seed: int) -> float:
    """Return environment steps per second."""
    count = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        step(count)
        count += 1
    return count * num_envs / (time.perf_counter() - start)


if __name__ == "__main__":
    tyro.cli(main)

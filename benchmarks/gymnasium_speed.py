"""Compare the speed of the batch engine and of Gymnasium's vector environments.

    ours    `MujocoEnvironment.step`: control, physics, state, observation, own reward, ends, new
            episodes, for all environments at once
    sync    `gymnasium.make_vec(id, num_envs, vectorization_mode="sync")`: one after the other
    async   the same with `"async"`: one process per environment

All have the same number of environments and take random actions, drawn before the clock starts.
The sides take turns, and ratios are taken within a repeat, so that a busy machine is busy for all.
CPU time, of all threads of this process, depends less on other programs; that of the processes of
`async` is not measured. Run with `python -m benchmarks.gymnasium_speed`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import torch
import tyro

from benchmarks.measure import interleaved, ratio, table
from eureka_agent.simulation.gymnasium.fitness import fitness_rule
from eureka_agent.simulation.gymnasium.mujoco_v5 import ENVIRONMENTS, batch_task
from eureka_agent.utils.torch_threads import one_torch_thread

DRAWN = 32
"""Number of different actions per environment, used in turn."""


@dataclass(frozen=True)
class Speed:
    """One run of one side."""

    steps_per_s: float
    """Environment steps per second."""
    cpu_s_per_step: float
    """CPU seconds of this process per environment step."""


def main(
    envs: tuple[str, ...] = tuple(ENVIRONMENTS),
    num_envs: int = 64,
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
    with one_torch_thread():  # as in a training
        rows = [_row(env, num_envs, seconds, repeats) for env in envs]
    header = (
        "environment",
        "ours, steps/s",
        "sync",
        "async",
        "ours / sync",
        "ours / async",
        "CPU time, ours / sync",
    )
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
    runs = {side: partial(_run, step, num_envs, seconds) for side, step in steps.items()}
    results = interleaved(runs, repeats)
    for vector in vectors.values():
        vector.close()
    speeds = {side: [each.steps_per_s for each in results[side]] for side in results}
    cpu = {side: [each.cpu_s_per_step for each in results[side]] for side in results}
    medians = [f"{statistics.median(values):,.0f}" for values in speeds.values()]
    ratios = [f"{ratio(speeds['ours'], speeds[side]):.1f} x" for side in vectors]
    return (env, *medians, *ratios, f"{ratio(cpu['ours'], cpu['sync']):.2f}")


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


def _run(step: Callable[[int], object], num_envs: int, seconds: float, seed: int) -> Speed:
    """Step for some seconds."""
    count = 0
    start, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        step(count)
        count += 1
    steps = count * num_envs
    elapsed, used = time.perf_counter() - start, time.process_time() - cpu
    return Speed(steps / elapsed, used / steps)


if __name__ == "__main__":
    tyro.cli(main)

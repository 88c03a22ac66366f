"""Shared by the benchmarks: interleaved runs, their statistics, bare stepping and tables."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import mujoco
import numpy as np
import torch
from mujoco.batch import Batch
from numpy.typing import NDArray

from eureka_agent.simulation import CpuEngine, MujocoEnvironment
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.tasks.registry import load_task

Name = TypeVar("Name")
Result = TypeVar("Result")

SURE = 0.9
"""Least coverage of an interval for a median."""
_ACTIONS = 64
"""Number of random controls that bare stepping uses in turn; drawing new ones would cost as much as
stepping a small model."""
_RANDOM_STEPS = 50
"""Steps after which legs touch the ground and episodes have ended at many different times."""
_PUT_BACK = 10
"""Random controls make a hopper fall within twenty steps."""


def interleaved(
    runs: Mapping[Name, Callable[[int], Result]], repeats: int
) -> dict[Name, list[Result]]:
    """Call every run once per repeat, with the repeat's number as its seed; return all results.

    A machine that is busy for a while is then busy for all, and every repeat begins with another
    run.
    """
    results: dict[Name, list[Result]] = {name: [] for name in runs}
    names = list(runs)
    for repeat in range(repeats):
        first = repeat % len(names)
        for name in names[first:] + names[:first]:
            results[name].append(runs[name](repeat))
    return results


def ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of `one / other` over the repeats.

    Each pair ran close together, on an equally busy machine.
    """
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the narrowest pair of order statistics with enough coverage of the median, and it.

    This assumes nothing about the distribution: the number of `n` values below the true median is
    binomial with probability 1/2. If no pair has enough coverage, it is the least and the largest.
    """
    ordered, n = sorted(values), len(values)

    def coverage(cut: int) -> float:
        return 1.0 - 2.0 * sum(math.comb(n, below) for below in range(cut + 1)) * 0.5**n

    cut = 0
    while coverage(cut + 1) >= SURE:
        cut += 1
    return ordered[cut], ordered[n - 1 - cut], coverage(cut)


def bare_stepping(task: MujocoTask, num_envs: int, steps: int, seed: int = 0) -> float:
    """Return the seconds that MuJoCo alone needs for `steps` environment steps over all
    environments.

    This is the upper limit of speed: controls are random and nothing is read. Every few steps all
    environments are reset to the middle of episodes, since a fallen robot has other contacts than
    those in a training. A policy causes yet other contacts, so the physics of a training may be a
    few percent cheaper or dearer.
    """
    model = task.model
    alive = _mid_episode_states(task, num_envs, seed)
    batch = Batch(model, num_envs)  # one thread per core, like our engine
    low, high = np.where(model.actuator_ctrllimited, model.actuator_ctrlrange.T, [[-1.0], [1.0]])
    controls = np.random.default_rng(seed).uniform(low, high, (_ACTIONS, num_envs, model.nu))
    ctrl = batch.bind("ctrl")
    start = time.perf_counter()
    for step in range(math.ceil(steps / num_envs)):
        if step % _PUT_BACK == 0:
            batch.state[:] = alive
        ctrl[:] = controls[step % _ACTIONS]
        batch.step(nstep=task.frame_skip)
    return time.perf_counter() - start


def _mid_episode_states(task: MujocoTask, num_envs: int, seed: int) -> NDArray[np.float64]:
    """Return `(num_envs, size)`: states that random actions reach before an episode ends."""
    engine = CpuEngine(task.model, num_envs)
    environment = MujocoEnvironment(task, num_envs, seed=seed, engine=engine)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(_RANDOM_STEPS):
        environment.step(torch.rand(num_envs, task.action_size, generator=generator) * 2.0 - 1.0)
    return engine.snapshot().numpy()


def stepping_of(model: mujoco.MjModel) -> str:
    """Describe how a model is stepped."""
    return (
        f"{mujoco.mjtIntegrator(model.opt.integrator).name.removeprefix('mjINT_')},"
        f" {model.opt.timestep:g} s"
    )


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text; the first column is left-aligned."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    print(f"\n{title}")
    for row in (header, *rows):
        first, *others = (word.rjust(width) for word, width in zip(row, widths, strict=True))
        print("  ".join([first.strip().ljust(widths[0]), *others]), flush=True)


def mujoco_task(name: str) -> MujocoTask:
    """Return the task of that name in `envs/`, all of which have a MuJoCo scene."""
    task = load_task(name)
    assert isinstance(task, MujocoTask)
    return task

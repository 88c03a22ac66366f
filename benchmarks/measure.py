"""What the benchmarks share: interleaved runs, what their times say, bare stepping and tables."""

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
"""How sure an interval for a median should be."""
_ACTIONS = 64
"""Different random controls that bare stepping goes round; drawing new ones would cost as much as a
small model."""
_RANDOM_STEPS = 50
"""To where legs touch the ground and episodes have ended at many different times."""
_PUT_BACK = 10
"""Random controls bring a hopper down within twenty steps."""


def interleaved(
    runs: Mapping[Name, Callable[[int], Result]], repeats: int
) -> dict[Name, list[Result]]:
    """Call every run once a repeat, with the repeat's number as its seed; return what each gave, in
    order.

    A machine that is busy for a while is busy for all, and every repeat begins with another run.
    """
    results: dict[Name, list[Result]] = {name: [] for name in runs}
    names = list(runs)
    for repeat in range(repeats):
        first = repeat % len(names)
        for name in names[first:] + names[:first]:
            results[name].append(runs[name](repeat))
    return results


def ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of `one / other` over the repeats: each pair ran close together, on an
    equally busy machine."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the narrowest pair of order statistics around the median that is sure enough, and how
    sure it is.

    It assumes nothing about the distribution: how many of `n` values lie below the true median is a
    coin's doing. The least and the largest value where no pair is sure enough.
    """
    ordered, n = sorted(values), len(values)

    def coverage(cut: int) -> float:
        return 1.0 - 2.0 * sum(math.comb(n, below) for below in range(cut + 1)) * 0.5**n

    cut = 0
    while coverage(cut + 1) >= SURE:
        cut += 1
    return ordered[cut], ordered[n - 1 - cut], coverage(cut)


def bare_stepping(task: MujocoTask, worlds: int, steps: int, seed: int = 0) -> float:
    """Return the seconds that MuJoCo alone needs for `steps` environment steps over all `worlds`:
    the ceiling.

    Random controls go in and nothing is read. Every few steps all worlds are put back into the
    midst of episodes, since what has fallen and lies there costs other contacts than what a
    training steps. What a policy does makes other contacts still, so a training's own physics may
    be some percent cheaper or dearer.
    """
    model = task.model
    alive = _midst_of_episodes(task, worlds, seed)
    batch = Batch(model, worlds)  # as many threads as there are cores, as our engine has
    low, high = np.where(model.actuator_ctrllimited, model.actuator_ctrlrange.T, [[-1.0], [1.0]])
    controls = np.random.default_rng(seed).uniform(low, high, (_ACTIONS, worlds, model.nu))
    ctrl = batch.bind("ctrl")
    start = time.perf_counter()
    for step in range(math.ceil(steps / worlds)):
        if step % _PUT_BACK == 0:
            batch.state[:] = alive
        ctrl[:] = controls[step % _ACTIONS]
        batch.step(nstep=task.frame_skip)
    return time.perf_counter() - start


def _midst_of_episodes(task: MujocoTask, worlds: int, seed: int) -> NDArray[np.float64]:
    """Return `(worlds, size)`: states that random actions lead to before an episode ends."""
    engine = CpuEngine(task.model, worlds)
    environment = MujocoEnvironment(task, worlds, seed=seed, engine=engine)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(_RANDOM_STEPS):
        environment.step(torch.rand(worlds, task.action_size, generator=generator) * 2.0 - 1.0)
    return engine.snapshot().numpy()


def stepping_of(model: mujoco.MjModel) -> str:
    """Say how a model is stepped."""
    return (
        f"{mujoco.mjtIntegrator(model.opt.integrator).name.removeprefix('mjINT_')},"
        f" {model.opt.timestep:g} s"
    )


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of words; the first column is flush left."""
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

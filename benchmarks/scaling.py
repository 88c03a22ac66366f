"""Measure how a population scales with candidates and environments: speed, its parts, peak memory.

Every cell of the grid trains with the task's human reward, once for each candidate in the sandbox,
and with the task's own network. Each runs in a fresh process, so that peak memory is the cell's;
the rewards' sandboxed processes are not included. A cell trains for about `--steps` environment
steps of all its candidates together, at least for one rollout. Cells are interleaved; numbers are
medians over the repeats, and the ratio is to the first cell. Run with `python -m
benchmarks.scaling`.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import tyro

from benchmarks.measure import interleaved, mujoco_task, ratio, stepping_of, table
from benchmarks.parts import LEGEND, PARTS, timed_generation
from eureka_agent.jail import Sandbox
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.training.budgets import budgets_of

Cell = tuple[int, int]
"""Candidates, and environments of each."""


@dataclass(frozen=True)
class Measured:
    """One training of a cell."""

    seconds_per_step: float
    shares: dict[str, float]
    peak_mib: float
    grown_mib: float
    """The part of the peak after the imports."""


def main(
    task: str = "ant_forward",
    candidates: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64),
    num_envs: tuple[int, ...] = (64, 256, 1024, 4096),
    max_envs: int = 32_768,
    steps: int = 200_000,
    repeats: int = 3,
    quick: bool = False,
) -> None:
    """Measure and print the grid.

    Args:
        task: Name of the task; its `normal` budget gives network and horizon.
        candidates: Numbers of candidates.
        num_envs: Numbers of environments per candidate.
        max_envs: Skip cells with more environments in all.
        steps: Environment steps of a cell, over all candidates, rounded to rollouts.
        repeats: Trainings of each cell.
        quick: Three small cells, one rollout each, once: only shows that it runs.
    """
    if quick:
        candidates, num_envs, max_envs, steps, repeats = (1, 2), (32, 64), 64, 1, 1
    cells = [(k, n) for n in num_envs for k in candidates if k * n <= max_envs]
    runs: dict[Cell, Callable[[int], Measured]] = {
        cell: partial(_in_fresh_process, task, cell, steps) for cell in cells
    }
    _print(mujoco_task(task), interleaved(runs, repeats))
    print(LEGEND)


def _in_fresh_process(task: str, cell: Cell, steps: int, seed: int) -> Measured:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_measure, task, cell, steps, seed).result()


def _measure(name: str, cell: Cell, steps: int, seed: int) -> Measured:
    task, (candidates, num_envs) = mujoco_task(name), cell
    budget = replace(
        budgets_of(task)["normal"], num_envs=num_envs, environment_steps=steps // candidates
    )
    before = _peak_mib()
    with Sandbox() as sandbox:
        clock, _ = timed_generation(task, [task.human_reward] * candidates, budget, sandbox, seed)
    trained = candidates * budget.iterations * num_envs * budget.horizon
    return Measured(clock.total / trained, clock.shares, _peak_mib(), _peak_mib() - before)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux


def _print(task: MujocoTask, grid: dict[Cell, list[Measured]]) -> None:
    budget = budgets_of(task)["normal"]
    first = [run.seconds_per_step for run in next(iter(grid.values()))]
    rows = []
    for cell, runs in grid.items():
        seconds = [run.seconds_per_step for run in runs]
        shares = [statistics.median(run.shares[part] for run in runs) for part in PARTS]
        memory = [
            statistics.median(run.peak_mib for run in runs),
            statistics.median(run.grown_mib for run in runs),
        ]
        numbers = [
            *map(str, cell),
            f"{1 / statistics.median(seconds):.0f}",
            f"{ratio(first, seconds):.2f}x",
            *(f"{share:.0%}" for share in shares),
            *(f"{mib:.0f}" for mib in memory),
        ]
        rows.append(numbers)
    table(
        f"{task.name} ({stepping_of(task.model)}): network {'-'.join(map(str, budget.hidden))}, "
        f"rollouts of {budget.horizon}, {len(first)} runs each",
        ("candidates", "envs each", "steps/s", "ratio", *PARTS, "peak MiB", "after imports"),
        rows,
    )


if __name__ == "__main__":
    tyro.cli(main)

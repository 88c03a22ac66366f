"""Compare stepping environments of Gymnasium in this process and in worker processes.

    here     all environments in sequence, in this process
    1, 2, …  in that many worker processes

All take random actions, drawn before the clock starts. The sides take turns, and ratios are taken
within a repeat. `seconds of a step` is the time of one step of all environments in this process,
which decides whether a task uses processes (`simulation/gymnasium/workers.py`). Run with
`python -m benchmarks.gymnasium_workers`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import tyro

from benchmarks.measure import interleaved, ratio, table
from eureka_agent.simulation import random_actions
from eureka_agent.simulation.gymnasium import GymnasiumEnv, GymnasiumTask, fitness_rule
from eureka_agent.utils.cpu import cpu_count
from eureka_agent.utils.torch_threads import one_torch_thread

DRAWN = 16
"""Number of different actions per environment, used in turn."""
Side = int
"""A number of processes; 0 is this process."""


def main(
    envs: tuple[str, ...] = ("CartPole-v1", "Pendulum-v1", "Reacher-v4", "Ant-v4"),
    num_envs: tuple[int, ...] = (4, 16, 64, 256),
    seconds: float = 0.5,
    repeats: int = 5,
) -> None:
    """Measure and print a table with one row per environment and size.

    Args:
        envs: Ids of environments.
        num_envs: Numbers of environments.
        seconds: Length of each run.
        repeats: Runs of each side.
    """
    sides: list[Side] = sorted({0, 1, cpu_count()})
    with one_torch_thread():  # as in a training
        rows = [_row(env, size, sides, seconds, repeats) for env in envs for size in num_envs]
    processes = [f"{side} / here" for side in sides[1:]]
    header = ("environment", "number", "seconds of a step", "here, steps/s", *processes)
    table(f"{repeats} runs of {seconds:g} s each:", header, rows)


def _row(
    env: str, num_envs: int, sides: list[Side], seconds: float, repeats: int
) -> tuple[str, ...]:
    task = GymnasiumTask(env, {}, fitness_rule("env_return"))
    batches = {side: GymnasiumEnv(task, num_envs, seed=0, workers=side, reads=()) for side in sides}
    runs: dict[Side, Callable[[int], float]] = {
        side: partial(_speed, batch, seconds) for side, batch in batches.items()
    }
    speeds = interleaved(runs, repeats)
    for batch in batches.values():
        batch.close()
    here = statistics.median(speeds[0])
    ratios = [f"{ratio(speeds[side], speeds[0]):.2f} x" for side in sides[1:]]
    return (env, f"{num_envs}", f"{num_envs / here:.4f}", f"{here:,.0f}", *ratios)


def _speed(batch: GymnasiumEnv, seconds: float, seed: int) -> float:
    """Return environment steps per second."""
    act = random_actions(batch.task, seed=seed)
    actions = [act(batch.critic_observation) for _ in range(DRAWN)]
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() < begin + seconds:
        batch.step(actions[steps % DRAWN])
        steps += 1
    return steps * batch.num_envs / (time.perf_counter() - begin)


if __name__ == "__main__":
    tyro.cli(main)

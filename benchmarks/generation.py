"""A generation of candidates, each with its own reward: one population of ours, or a process of stable-baselines3 each.

Gymnasium's Hopper-v5 and Ant-v5 with RK4 and implicitfast (see `gymnasium_tasks`); the candidates pay for the same
things with different weights. Every candidate gets the same network, updates and environment steps on both sides:

    ours  static checks, sealed processes, probes and the training of all candidates as one population
    sb3   as many processes side by side as there are candidates, each with PPO on 8 environments of Gymnasium's own
    bare  the ceiling: MuJoCo steps all worlds of ours with random controls, and nobody looks

The wall's helper process and the processes of stable-baselines3 have started and imported everything before the time
runs. The second table says where ours goes, and how much more our physics takes than bare stepping: other contacts,
positions and velocities made current after each step, resets, threads that have slept. Runs are interleaved, and
ratios are medians over pairs of runs.
Run with `python -m benchmarks.generation`; needs the extra sb3.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing.synchronize import Barrier

import torch
import tyro

from benchmarks.gymnasium_tasks import TASKS, Benchmarked, GymnasiumTask, Weights
from benchmarks.measure import bare_stepping, interleaved, ratio, stepping_of, table
from benchmarks.parts import LEGEND, PARTS, Clock, timed_generation
from benchmarks.sb3_ppo import import_once, make_environment, make_ppo, total_steps
from eureka_agent.jail import Wall
from eureka_agent.task import TrainingBudget

START_S = 300.0
"""More than this and a process of stable-baselines3 has died on its way."""


def main(
    envs: tuple[Benchmarked, ...] = ("hopper", "ant", "hopper-implicitfast", "ant-implicitfast"),
    candidates: int = 8,
    worlds: int = 64,
    steps: int = 51_200,
    repeats: int = 3,
    quick: bool = False,
) -> None:
    """Measure and print two tables an environment.

    Args:
        envs: Environments to measure.
        candidates: Rewards of the generation.
        worlds: Our worlds per candidate; the rows of an update, everyone's, are 32 times as many.
        steps: Environment steps of each candidate, rounded to rollouts.
        repeats: Generations of each side.
        quick: One rollout of three candidates in two environments, once: shows that everything runs.
    """
    import_once()
    if quick:
        envs, candidates, steps, repeats = ("hopper", "ant-implicitfast"), 3, 1, 1
    with Wall() as wall:
        for env in envs:
            task = TASKS[env]
            budget = replace(task.budgets["normal"], num_envs=worlds, environment_steps=steps)
            weights = _weights(task, candidates)
            clocks: list[Clock] = []
            runs: dict[str, Callable[[int], float]] = {
                "bare": partial(bare_stepping, task, candidates * worlds, candidates * total_steps(budget)),
                "ours": partial(_ours, task, budget, weights, wall, clocks),
                "sb3": partial(_sb3, env, budget, weights),
            }
            seconds = interleaved(runs, repeats)
            _print(task, budget, candidates, seconds)
            _print_parts(clocks, seconds["bare"])
    print(LEGEND)


def _weights(task: GymnasiumTask, candidates: int) -> list[Weights]:
    """Different rewards that all make sense: nobody's policy gives up and nobody's network stays as it was."""
    forwards = [1.0 + k / candidates for k in range(candidates)]
    costs = [task.weights.cost * (0.5, 1.0, 2.0)[k % 3] for k in range(candidates)]
    return [Weights(cost, forward) for cost, forward in zip(costs, forwards, strict=True)]


def _ours(
    task: GymnasiumTask,
    budget: TrainingBudget,
    weights: Sequence[Weights],
    wall: Wall,
    clocks: list[Clock],
    seed: int,
) -> float:
    """Return the seconds of a generation; appends where they went to `clocks`."""
    clocks.append(timed_generation(task, [each.source for each in weights], budget, wall, seed))
    return clocks[-1].total


def _sb3(env: Benchmarked, budget: TrainingBudget, weights: Sequence[Weights], seed: int) -> float:
    """Return the seconds until the last process is done."""
    context = multiprocessing.get_context("forkserver")
    ready = context.Barrier(len(weights) + 1)
    processes = [context.Process(target=_train_one, args=(env, budget, each, seed, ready)) for each in weights]
    for process in processes:
        process.start()
    ready.wait(START_S)
    start = time.perf_counter()
    for process in processes:
        process.join()
    seconds = time.perf_counter() - start
    if any(process.exitcode for process in processes):
        raise RuntimeError("a training of stable-baselines3 failed")
    return seconds


def _train_one(env: Benchmarked, budget: TrainingBudget, weights: Weights, seed: int, ready: Barrier) -> None:
    torch.set_num_threads(1)
    environment = make_environment(TASKS[env], budget, weights=weights)
    model = make_ppo(environment, budget, seed)
    ready.wait(START_S)
    model.learn(total_steps(budget))


def _print(task: GymnasiumTask, budget: TrainingBudget, candidates: int, seconds: dict[str, list[float]]) -> None:
    steps = candidates * total_steps(budget)
    rows = []
    for name, times in seconds.items():
        rates = [f"{steps / value:.0f}" for value in (statistics.median(times), max(times), min(times))]
        rows.append((name, *rates, f"{ratio(times, seconds['ours']):.2f}x", f"{ratio(seconds['bare'], times):.0%}"))
    table(
        f"{task.name} ({stepping_of(task.model)}): {candidates} candidates, {budget.num_envs} worlds and "
        f"{total_steps(budget)} environment steps each, {len(seconds['ours'])} runs",
        ("", "steps/s", "slowest", "fastest", "ours is faster by", "of bare"),
        rows,
    )


def _print_parts(clocks: Sequence[Clock], bare: Sequence[float]) -> None:
    shares = [statistics.median(clock.shares[part] for clock in clocks) for part in PARTS]
    dearer = ratio([clock.seconds["physics"] for clock in clocks], bare)
    row = ("share", *(f"{share:.1%}" for share in shares), f"{dearer:.2f}x")
    table("where the time of ours goes", ("", *PARTS, "physics to bare"), [row])


if __name__ == "__main__":
    tyro.cli(main)

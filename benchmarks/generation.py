"""Train a generation of candidates as one population, or in one stable-baselines3 process each.

Gymnasium's Hopper-v5 and Ant-v5 with RK4 and implicitfast (see `gymnasium_tasks`). The candidates
reward the same things with different weights; two reward running backwards, as useless rewards of a
real generation might. Every candidate has the same network, updates and environment steps on all
sides:

    ours    static checks, sandboxed processes, contract checks and the training of all candidates
            as one population
    raced   the same with racing at its default settings
    sb3     one process per candidate, all at once, each with PPO on 8 environments of Gymnasium
    bare    the upper limit: MuJoCo steps all of our environments with random controls, and nothing
            is read

Racing needs trainings that learn something (`--steps 400000`, a million for ants, perhaps with
`--no-sb3`); then a line compares the fitness of its winner. The sandbox's helper process and the
processes of stable-baselines3 have imported everything before the clock starts. The second table
splits the time of `ours`, and compares our physics with bare stepping: other contacts, positions
and velocities updated after each step, resets, threads that have slept. Runs are interleaved, and
ratios are medians over pairs of runs. Run with `python -m benchmarks.generation`; needs the extra
sb3.
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
from eureka_agent.config import Race, TrainingBudget
from eureka_agent.jail import Sandbox
from eureka_agent.simulation.rollouts import evaluate
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.policy import Policy

START_S = 300.0
"""After this time without a sign, a process of stable-baselines3 has died."""


def main(
    envs: tuple[Benchmarked, ...] = ("hopper", "ant", "hopper-implicitfast", "ant-implicitfast"),
    candidates: int = 8,
    num_envs: int | None = None,
    steps: int = 51_200,
    repeats: int = 3,
    sb3: bool = True,
    quick: bool = False,
) -> None:
    """Measure and print three tables per environment.

    Args:
        envs: Gymnasium environments to measure.
        candidates: Number of rewards in the generation.
        num_envs: Environments per candidate of ours; by default as in `returns`.
        steps: Environment steps of each candidate, rounded to rollouts.
        repeats: Generations per side.
        sb3: Measure stable-baselines3, too.
        quick: One rollout of three candidates in two environments, once: only shows that it runs.
    """
    import_once()
    if quick:
        envs, candidates, steps, repeats = ("hopper", "ant-implicitfast"), 3, 1, 1
    with Sandbox() as sandbox:
        for env in envs:
            task = TASKS[env]
            budget = replace(budgets_of(task)["normal"], environment_steps=steps)
            budget = replace(budget, num_envs=num_envs or budget.num_envs)
            weights = _weights(task, candidates)
            clocks: list[Clock] = []
            policies: dict[str, list[list[Policy]]] = {"ours": [], "raced": []}
            runs: dict[str, Callable[[int], float]] = {
                "bare": partial(
                    bare_stepping,
                    task,
                    candidates * budget.num_envs,
                    candidates * total_steps(budget),
                ),
                "ours": partial(
                    _ours, task, budget, weights, sandbox, clocks, policies["ours"], None
                ),
                "raced": partial(
                    _ours,
                    task,
                    budget,
                    weights,
                    sandbox,
                    [],
                    policies["raced"],
                    Race(),
                ),
            }
            if sb3:
                runs["sb3"] = partial(_sb3, env, budget, weights)
            seconds = interleaved(runs, repeats)
            _print(task, budget, candidates, seconds)
            _print_parts(clocks, seconds["bare"])
            _print_winners(task, policies)
    print(LEGEND)


def _weights(task: GymnasiumTask, candidates: int) -> list[Weights]:
    """Return rewards that range from running backwards to pure speed."""
    forwards = [2.0 * k / candidates - 0.5 for k in range(candidates)]
    costs = [task.weights.cost * (0.5, 1.0, 2.0)[k % 3] for k in range(candidates)]
    return [Weights(cost, forward) for cost, forward in zip(costs, forwards, strict=True)]


def _ours(
    task: GymnasiumTask,
    budget: TrainingBudget,
    weights: Sequence[Weights],
    sandbox: Sandbox,
    clocks: list[Clock],
    policies: list[list[Policy]],
    race: Race | None,
    seed: int,
) -> float:
    """Return the seconds of a generation; appends their parts to `clocks`, its policies to
    `policies`."""
    clock, results = timed_generation(
        task, [each.source for each in weights], budget, sandbox, seed, race
    )
    clocks.append(clock)
    policies.append([result.policy for result in results if result.policy is not None])
    return clock.total


def _sb3(env: Benchmarked, budget: TrainingBudget, weights: Sequence[Weights], seed: int) -> float:
    """Return the seconds until the last process has finished."""
    context = multiprocessing.get_context("forkserver")
    ready = context.Barrier(len(weights) + 1)
    processes = [
        context.Process(target=_train_one, args=(env, budget, each, seed, ready))
        for each in weights
    ]
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


def _train_one(
    env: Benchmarked, budget: TrainingBudget, weights: Weights, seed: int, ready: Barrier
) -> None:
    torch.set_num_threads(1)
    environment = make_environment(TASKS[env], budget, weights=weights)
    model = make_ppo(environment, budget, seed)
    ready.wait(START_S)
    model.learn(total_steps(budget))


def _print(
    task: GymnasiumTask, budget: TrainingBudget, candidates: int, seconds: dict[str, list[float]]
) -> None:
    steps = candidates * total_steps(budget)
    rows = []
    for name, times in seconds.items():
        rates = [
            f"{steps / value:.0f}" for value in (statistics.median(times), max(times), min(times))
        ]
        faster = [f"{ratio(times, seconds[side]):.2f}x" for side in ("ours", "raced")]
        rows.append((name, *rates, *faster, f"{ratio(seconds['bare'], times):.0%}"))
    table(
        f"{task.name} ({stepping_of(task.model)}): {candidates} candidates, {budget.num_envs}"
        f" environments and {total_steps(budget)} steps each, {len(seconds['ours'])} runs",
        ("", "steps/s", "slowest", "fastest", "ours is faster by", "raced", "of bare"),
        rows,
    )


def _print_parts(clocks: Sequence[Clock], bare: Sequence[float]) -> None:
    shares = [statistics.median(clock.shares[part] for clock in clocks) for part in PARTS]
    dearer = ratio([clock.seconds["physics"] for clock in clocks], bare)
    row = ("share", *(f"{share:.1%}" for share in shares), f"{dearer:.2f}x")
    table("parts of the time of ours", ("", *PARTS, "physics to bare"), [row])


def _print_winners(task: GymnasiumTask, policies: dict[str, list[list[Policy]]]) -> None:
    """Print one line per repeat: the winner of all and the race's, over 64 episodes."""
    rows = []
    for repeat, (ours, raced) in enumerate(zip(policies["ours"], policies["raced"], strict=True)):
        both = evaluate(task, [*ours, *raced], episodes=64, seed=repeat)
        cells = [str(repeat)]
        for of_one in (both[: len(ours)], both[len(ours) :]):
            k = max(range(len(of_one)), key=lambda i: of_one[i].fitness)
            cells += [
                str(k),
                (
                    f"{of_one[k].fitness:.3f} ({of_one[k].fitness_low:.3f} to"
                    f" {of_one[k].fitness_high:.3f})"
                ),
            ]
        rows.append(tuple(cells))
    table(
        "winners, fitness in m/s (95 %)",
        ("repeat", "of all", "fitness", "the race's", "fitness"),
        rows,
    )


if __name__ == "__main__":
    tyro.cli(main)

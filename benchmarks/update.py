"""Measure the gradient steps of a PPO update: plain Python, TorchScript on one core, and on two.

The samples are random, in the sizes that the hopper and the ant learn from (see `gymnasium_tasks`),
for one candidate and for a generation. The three do the same operations and give the same weights,
which is checked. Run with `python -m benchmarks.update`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
import tyro
from torch import Tensor

from benchmarks.gymnasium_tasks import TASKS, Benchmarked
from benchmarks.measure import interleaved, ratio, table
from eureka_agent.config import TrainingBudget
from eureka_agent.simulation import MujocoEnvironment
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.ppo.gradients import Batch, learn
from eureka_agent.training.ppo.networks import Population
from eureka_agent.training.ppo.ppo import PPO
from eureka_agent.utils.torch_threads import one_torch_thread

_WARM_UP = 3
"""Updates before the clock starts, since TorchScript profiles its first calls."""


def main(
    envs: tuple[Benchmarked, ...] = ("hopper", "ant"),
    candidates: tuple[int, ...] = (1, 2, 8),
    hidden: tuple[int, ...] = (64, 64),
    repeats: int = 20,
    quick: bool = False,
) -> None:
    """Measure and print one table.

    Args:
        envs: Gymnasium environments whose sizes are used.
        candidates: Sizes of the population.
        hidden: Widths of the networks' hidden layers.
        repeats: Updates of each kind.
        quick: Two updates each: only shows that it runs.
    """
    rows, repeats = [], 2 if quick else repeats
    with one_torch_thread():
        for env in envs:
            for copies in candidates:
                rows.append(_row(env, copies, hidden, repeats))
    table(
        f"microseconds per environment step of one update, {repeats} each",
        (
            "",
            "minibatch",
            "multiplications",
            "Python",
            "one core",
            "of Python",
            "two cores",
            "of Python",
        ),
        rows,
    )


def _row(env: Benchmarked, copies: int, hidden: tuple[int, ...], repeats: int) -> tuple[str, ...]:
    task = TASKS[env]
    budget = replace(budgets_of(task)["normal"], hidden=hidden)
    size, rows = (
        MujocoEnvironment(task, 1, seed=0).observation_size,
        budget.num_envs * budget.horizon,
    )
    learners = {
        kind: _learner(copies, size, task.action_size, budget) for kind in ("Python", "one", "two")
    }
    learners["Python"]._learn, learners["two"]._parallel = learn, True
    learners["Python"]._parallel = learners["one"]._parallel = False
    samples = _samples(copies, rows, size, task.action_size)
    runs: dict[str, Callable[[int], float]] = {
        kind: partial(_update, learner, samples) for kind, learner in learners.items()
    }
    interleaved(runs, _WARM_UP)
    seconds = interleaved(runs, repeats)
    _demand_same([learner.population.flat for learner in learners.values()])
    each = {
        kind: f"{statistics.median(times) / (rows * copies) * 1e6:.2f}"
        for kind, times in seconds.items()
    }
    of_python = {kind: f"{ratio(times, seconds['Python']):.2f}" for kind, times in seconds.items()}
    work = rows // budget.minibatches * learners["one"].population.flat.numel()
    name = f"{env}, {copies} candidate{'s' if copies > 1 else ''}"
    columns = (each["Python"], each["one"], of_python["one"], each["two"], of_python["two"])
    return (name, f"{rows // budget.minibatches}", f"{work / 1e6:.1f} million", *columns)


def _learner(copies: int, observation_size: int, action_size: int, budget: TrainingBudget) -> PPO:
    population = Population(
        copies, observation_size, action_size, budget.hidden, budget.initial_std, seed=0
    )
    return PPO(population, budget, seed=0)


def _samples(copies: int, rows: int, observation_size: int, action_size: int) -> Batch:
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(copies, rows, *shape, generator=generator)

    return Batch(
        drawn(observation_size),
        drawn(action_size),
        drawn() - action_size / 2,
        drawn(),
        drawn(),
        drawn(),
    )


def _update(learner: PPO, samples: Batch, seed: int) -> float:
    """Return the seconds of an update's gradient steps."""
    start = time.perf_counter()
    learner._optimise(samples, torch.ones(len(samples.target), dtype=torch.bool))
    return time.perf_counter() - start


def _demand_same(weights: Sequence[Tensor]) -> None:
    if not all(torch.equal(weights[0], each) for each in weights[1:]):
        raise RuntimeError("plain Python and TorchScript gave different weights")


if __name__ == "__main__":
    tyro.cli(main)

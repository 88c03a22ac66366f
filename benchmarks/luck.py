"""Measure how much the luck of a training decides, and which of its policies should count.

The human reward of each task is trained with many seeds: all policies are one population, and each
has its own initial weights, initial states and exploration noise; only the order of the minibatches
is shared. Settings of PPO can be changed, to compare them at equal wall time. The row `last` has
the fitness of the last policies; `peak` of those where the training's own reward was highest;
`average 5` of the mean of the weights at the last five of 25 checkpoints.

Prints for each the mean fitness, the standard deviation, the lower quartile, the median, and the
share of the policies that reach `--learnt` of the fitness that solves the task. One line of JSON
for each population goes to `--out`. Run with `python -m benchmarks.luck`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from torch import Tensor

from benchmarks.measure import table
from eureka_agent.checks import check_source
from eureka_agent.config import BudgetName, TrainingBudget
from eureka_agent.jail import Sandbox
from eureka_agent.simulation.rollouts import run_episodes
from eureka_agent.simulation.subset import with_keep
from eureka_agent.tasks.registry import find_task
from eureka_agent.tasks.task import Task
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.policy import Policy
from eureka_agent.training.population import PopulationTraining
from eureka_agent.training.ppo.networks import Population
from eureka_agent.training.trainer import TrainerSettings
from eureka_agent.utils.torch_threads import one_torch_thread

_CHECKPOINTS = 25
"""Number of policies of each training that may count."""
_AVERAGED = (3, 5)
"""Numbers of the last of them that are averaged."""
_FAR = 1_000
"""Distance between first seeds, so that their initial weights never overlap."""


def main(
    tasks: tuple[str, ...] = ("hopper_forward",),
    budget: BudgetName = "normal",
    settings: tuple[str, ...] = (),
    policies: int = 16,
    first_seed: int = 0,
    learnt: float = 0.9,
    out: Path = Path("luck.jsonl"),
    quick: bool = False,
) -> None:
    """Train one population of each task and print its rows.

    Args:
        tasks: Names of the tasks.
        budget: Training of each policy.
        settings: Changes of the budget, such as `gae_lambda=0.98` or `hidden=128,64`.
        policies: Policies of a population, at least two.
        first_seed: Seed of the population.
        learnt: Share of the fitness that solves the task from which a policy has learnt it.
        out: File of results to continue.
        quick: Two policies for two updates: only shows that it runs.
    """
    changes = dict(_parsed(each) for each in settings)
    with Sandbox() as sandbox, one_torch_thread():
        for name in tasks:
            task = find_task(name)
            each = replace(budgets_of(task)[budget], **changes)
            if quick:
                each = replace(each, num_envs=8, environment_steps=2 * 8 * each.horizon)
                policies = 2
            _measure(task, each, policies, first_seed, learnt, sandbox, out, budget, settings)


def _measure(
    task: Task,
    budget: TrainingBudget,
    policies: int,
    seed: int,
    learnt: float,
    sandbox: Sandbox,
    out: Path,
    name: str,
    settings: Sequence[str],
) -> None:
    start = time.monotonic()
    training, checkpoints, rewards = _train(task, budget, policies, seed, sandbox)
    seconds = time.monotonic() - start
    chosen = {
        "last": training.policies(),
        "peak": _peaks(training, checkpoints, rewards),
    }
    for count in _AVERAGED:
        average = torch.stack(checkpoints[-count:]).mean(dim=0)
        chosen[f"average {count}"] = training.policies(average)
    rows, record = [], {}
    for kind, members in chosen.items():
        episodes = run_episodes(task, members, episodes=budget.evaluation_episodes, seed=seed)
        values = np.array([float(each["fitness"].mean()) for each in episodes])
        record[kind] = values.round(4).tolist()
        good = values >= learnt * float(task.fitness_solved)
        rows.append(
            (
                kind,
                f"{values.mean():.3g}",
                f"{values.std(ddof=1):.3g}",
                f"{np.quantile(values, 0.25):.3g}",
                f"{np.median(values):.3g}",
                f"{int(good.sum())} of {len(values)}",
            )
        )
    steps = budget.iterations * budget.num_envs * budget.horizon
    title = f"{task.name}, {name} {' '.join(settings)}: {policies} policies, {steps} steps each"
    header = ("policy", "mean", "std", "lower quartile", "median", "learnt")
    table(f"{title}, seed {seed}, {seconds:.0f} s", header, rows)
    with out.open("a") as file:
        found = {"task": task.name, "budget": name, "settings": list(settings), "seed": seed}
        file.write(json.dumps({**found, "seconds": round(seconds), **record}) + "\n")


def _train(
    task: Task, budget: TrainingBudget, policies: int, seed: int, sandbox: Sandbox
) -> tuple[Apart, list[Tensor], list[Tensor]]:
    """Train a population; return it with its weights and mean rewards at each checkpoint."""
    assert task.human_reward is not None
    reward = check_source(task.human_reward, task.reward_inputs)
    rows = budget.num_envs * budget.horizon
    runners = [sandbox.open(reward, task.reward_inputs, max_rows=rows) for _ in range(policies)]
    training = Apart(task, runners, budget, seed)
    every = max(1, math.ceil(budget.iterations / _CHECKPOINTS))
    checkpoints, rewards, since = [], [], []
    for done, progress in enumerate(training.run(), start=1):
        if not all(progress.alive):
            raise RuntimeError("a training failed")
        since.append(torch.tensor(progress.reward))
        if (budget.iterations - done) % every == 0:
            checkpoints.append(training.ppo.population.flat.clone())
            rewards.append(torch.stack(since).mean(dim=0))
            since.clear()
    for runner in runners:
        runner.close()
    return training, checkpoints, rewards


def _peaks(training: Apart, checkpoints: list[Tensor], rewards: list[Tensor]) -> list[Policy]:
    """Return each member's policy where its mean reward was highest."""
    best = torch.stack(rewards).argmax(dim=0)
    flat = torch.stack([checkpoints[at][k] for k, at in enumerate(best.tolist())])
    return training.policies(flat)


class Apart(PopulationTraining):
    """A population whose members share only the order of minibatches of all random numbers."""

    def __init__(
        self, task: Task, rewards: Sequence[Any], budget: TrainingBudget, seed: int
    ) -> None:
        super().__init__(task, rewards, TrainerSettings(budget, seed=seed))
        population = self.ppo.population
        privileged = self.env.critic_observation.shape[1] - self.env.observation_size
        sizes = (self.env.observation_size, task.action_size, budget.hidden, budget.initial_std)
        apart = [
            Population(1, *sizes, seed * _FAR + k, privileged_size=privileged).flat
            for k in range(len(rewards))
        ]
        population.load_flat(torch.cat(apart))
        reads = {name for reward in rewards for name in reward.parameters}
        self.env = with_keep(task.make_env(len(rewards) * budget.num_envs, seed=seed, reads=reads))

    def policies(self, flat: Tensor | None = None) -> list[Policy]:
        """Return all policies, the current ones or those of other weights."""
        population = self.ppo.population
        current = population.flat
        if flat is not None:
            population.load_flat(flat)
        found = [population.export(k) for k in range(len(self.members))]
        population.load_flat(current)
        return found

    def _draw_noise(self, size: int) -> Tensor:
        return torch.randn(len(self.members), self._num_envs, size, generator=self.noise)


def _parsed(setting: str) -> tuple[str, Any]:
    """Return name and value of `name=value`."""
    name, text = setting.split("=")
    if "," in text or name == "hidden":
        return name, tuple(int(each) for each in text.split(","))
    return name, float(text) if "." in text or "e" in text else int(text)


if __name__ == "__main__":
    tyro.cli(main)

"""Compare settings of our PPO, and measure how much of a training's return is luck.

A single hopper either keeps hopping or falls after a third of the episode, largely by chance. So
one setting trains many policies as one population on the same reward. Each has its own initial
weights, initial states and exploration noise; only the order of the minibatches is shared. Each is
evaluated without exploration at five points of the last fifth of the training, in environments
whose return is that of Gymnasium's own (see `gymnasium_tasks`).

Prints the mean of the policies' mean returns with its standard error, the median, and the share of
the points below `--below`. Compare two settings by several populations each: a difference of less
than two standard errors is not significant. Run with `python -m benchmarks.settings`.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
import tyro
from torch import Tensor

from benchmarks.gymnasium_tasks import TASKS, Benchmarked, GymnasiumTask
from benchmarks.measure import stepping_of, table
from eureka_agent.checks import check_source
from eureka_agent.config import TrainingBudget
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.simulation import MujocoEnvironment, Step
from eureka_agent.simulation.rollouts import run_episodes
from eureka_agent.tasks.task import State
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.policy import Policy
from eureka_agent.training.population import PopulationTraining
from eureka_agent.training.ppo.networks import Population
from eureka_agent.training.trainer import TrainerSettings
from eureka_agent.utils.torch_threads import one_torch_thread

_POINTS = (0.84, 0.88, 0.92, 0.96, 1.0)
"""Shares of the training at which policies are evaluated."""
_FAR = 1_000
"""Distance between first seeds, so that their initial weights never overlap."""


def main(
    envs: tuple[Benchmarked, ...] = ("hopper-implicitfast",),
    num_envs: int | None = None,
    horizon: int | None = None,
    gae_lambda: float | None = None,
    learning_rate: float | None = None,
    steps: int = 500_000,
    policies: int = 16,
    seeds: int = 1,
    first_seed: int = 0,
    episodes: int = 8,
    below: float = 1_800.0,
    quick: bool = False,
) -> None:
    """Train populations of one setting and print a line for each.

    Args:
        envs: Gymnasium environments to learn.
        num_envs: Environments of each policy; by default the task's.
        horizon: Steps of an environment between two updates; by default the task's.
        gae_lambda: Lambda of the advantages; by default the task's.
        learning_rate: Initial learning rate; by default the task's.
        steps: Environment steps of each policy.
        policies: Policies of a population, at least two.
        seeds: Populations.
        first_seed: Seed of the first of them.
        episodes: Episodes of each evaluation.
        below: Count the policies whose mean return is lower.
        quick: Two policies for one update: only shows that it runs.
    """
    if quick:
        steps, policies, seeds, episodes = 1, 2, 1, 2
    changes: dict[str, Any] = {
        "num_envs": num_envs,
        "horizon": horizon,
        "gae_lambda": gae_lambda,
        "learning_rate": learning_rate,
    }
    known = {name: value for name, value in changes.items() if value is not None}
    with Sandbox() as sandbox, one_torch_thread():
        for env in envs:
            task = TASKS[env]
            budget = replace(budgets_of(task)["normal"], environment_steps=steps, **known)
            each = budget.iterations * budget.num_envs * budget.horizon
            rows = [
                _row(task, budget, policies, seed, episodes, below, sandbox)
                for seed in range(first_seed, first_seed + seeds)
            ]
            table(
                f"{task.name} ({stepping_of(task.model)}): {policies} policies, {each} environment"
                f" steps each, {budget.num_envs} x {budget.horizon} in {budget.minibatches}"
                f" minibatches, lambda {budget.gae_lambda}, first rate {budget.learning_rate:g}",
                ("seed", "mean return", "error", "median", f"below {below:g}", "seconds"),
                rows,
            )


def _row(
    task: GymnasiumTask,
    budget: TrainingBudget,
    policies: int,
    seed: int,
    episodes: int,
    below: float,
    sandbox: Sandbox,
) -> tuple[str, ...]:
    """Train one population and return its policies' results as a row."""
    start = time.monotonic()
    trained = _train(task, budget, policies, seed, sandbox)
    by_point = [_returns(task, point, episodes, seed).mean(dim=1).tolist() for point in trained]
    of_each = [statistics.mean(points) for points in zip(*by_point, strict=True)]
    error = statistics.stdev(of_each) / math.sqrt(policies)
    low = statistics.mean(value < below for points in by_point for value in points)
    numbers = (
        f"{statistics.mean(of_each):.0f}",
        f"{error:.0f}",
        f"{statistics.median(of_each):.0f}",
        f"{low:.0%}",
    )
    return (str(seed), *numbers, f"{time.monotonic() - start:.0f}")


def _train(
    task: GymnasiumTask, budget: TrainingBudget, policies: int, seed: int, sandbox: Sandbox
) -> Iterator[Sequence[Policy]]:
    """Yield all policies at each evaluated point of the training."""
    reward = check_source(task.human_reward, task.reward_inputs)
    sandboxed = [
        sandbox.open(reward, task.reward_inputs, max_rows=budget.num_envs * budget.horizon)
        for _ in range(policies)
    ]
    training = _Apart(task, sandboxed, budget, seed)
    points = {max(1, round(share * budget.iterations)) for share in _POINTS}
    for done, progress in enumerate(training.run(), start=1):
        if not all(progress.alive):
            raise RuntimeError("one of our trainings failed")
        if done in points:
            yield training.policies()
    for each in sandboxed:
        each.close()


class _Apart(PopulationTraining):
    """A population whose members share only the order of minibatches of all random numbers."""

    def __init__(
        self,
        task: GymnasiumTask,
        rewards: Sequence[SandboxedReward],
        budget: TrainingBudget,
        seed: int,
    ) -> None:
        super().__init__(task, rewards, TrainerSettings(budget, seed=seed))
        population = self.ppo.population
        sizes = (self.env.observation_size, task.action_size, budget.hidden, budget.initial_std)
        apart = [Population(1, *sizes, seed * _FAR + k).flat for k in range(len(rewards))]
        population.load_flat(torch.cat(apart))
        self.env = MujocoEnvironment(task, self.env.num_envs, seed=seed)

    def policies(self) -> list[Policy]:
        """Return all current policies."""
        return [self.ppo.population.export(k) for k in range(len(self.members))]

    def _draw_noise(self, size: int) -> Tensor:
        return torch.randn(len(self.members), self._num_envs, size, generator=self.noise)


def _returns(task: GymnasiumTask, policies: Sequence[Policy], episodes: int, seed: int) -> Tensor:
    """Return `(policies, episodes)`: the returns of Gymnasium's environment."""
    num_envs = len(policies) * episodes
    returns, on = torch.zeros(num_envs), torch.ones(num_envs, dtype=torch.bool)

    def watch(before: State, step: Step) -> None:
        returns.add_(torch.where(on, _paid(task, step.state), 0.0))
        on.logical_and_(~(step.terminated | step.truncated))

    run_episodes(task, policies, episodes=episodes, seed=seed, watch=watch)
    return returns.view(len(policies), episodes)


def _paid(task: GymnasiumTask, state: State) -> Tensor:
    """Return the human reward, computed in this process since it is trusted."""
    weights, effort = task.weights, state["action"].square().sum(dim=1)
    return (
        weights.forward * state["x_velocity"]
        + weights.alive * state["healthy"]
        - weights.cost * effort
    )


if __name__ == "__main__":
    tyro.cli(main)

"""What a setting of our PPO is worth, and how much of a training's return is luck.

A single hopper hops on for good or falls after a third of the episode, much by chance. So one
setting trains many policies side by side, as one population on the same reward, each with initial
weights, start states and exploration noise of its own; the order of the minibatches is the one
thing they share. Each is evaluated without exploration at five points of the last fifth of the
training, in worlds whose return is that of Gymnasium's own environment (see `gymnasium_tasks`).

Prints the mean of the policies' mean returns with its standard error, the median, and the share of
the points below `--below`. Compare two settings by several populations each: what differs by less
than two standard errors is chance. Run with `python -m benchmarks.settings`.
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
from eureka_agent.utils.torch_threads import one_torch_thread

_POINTS = (0.84, 0.88, 0.92, 0.96, 1.0)
"""Shares of the training at which policies are evaluated."""
_FAR = 1_000
"""Initial weights of two first seeds never overlap."""


def main(
    envs: tuple[Benchmarked, ...] = ("hopper-implicitfast",),
    worlds: int | None = None,
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
        envs: Environments to learn.
        worlds: Worlds of each policy, by default the environment's.
        horizon: Environment steps of a world between two updates, by default the environment's.
        gae_lambda: Lambda of the advantages, by default the environment's.
        learning_rate: The first, by default the environment's.
        steps: Environment steps of each policy.
        policies: Policies of a population, at least two.
        seeds: Populations.
        first_seed: Seed of the first of them.
        episodes: Episodes of each evaluation.
        below: Count the policies whose mean return is lower.
        quick: Two policies for one update: shows that everything runs.
    """
    if quick:
        steps, policies, seeds, episodes = 1, 2, 1, 2
    changes: dict[str, Any] = {
        "num_envs": worlds,
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
    """Train one population and say what its policies are worth."""
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
    """Yield all policies at each point of the training."""
    reward = check_source(task.human_reward, task.reward_inputs)
    sealed = [
        sandbox.open(reward, task.reward_inputs, max_rows=budget.num_envs * budget.horizon)
        for _ in range(policies)
    ]
    training = _Apart(task, sealed, budget, seed)
    points = {max(1, round(share * budget.iterations)) for share in _POINTS}
    for done, progress in enumerate(training.run(None), start=1):
        if not all(progress.alive):
            raise RuntimeError("a training of ours failed")
        if done in points:
            yield training.policies()
    for each in sealed:
        each.close()


class _Apart(PopulationTraining):
    """A population whose members differ by all that is drawn but the order of minibatches."""

    def __init__(
        self,
        task: GymnasiumTask,
        rewards: Sequence[SandboxedReward],
        budget: TrainingBudget,
        seed: int,
    ) -> None:
        super().__init__(task, rewards, budget, seed, None, "cpu", None, ())
        population = self.ppo.population
        sizes = (self.env.observation_size, task.action_size, budget.hidden, budget.initial_std)
        apart = [Population(1, *sizes, seed * _FAR + k).flat for k in range(len(rewards))]
        population.load_flat(torch.cat(apart))
        self.env = MujocoEnvironment(task, self.env.num_envs, seed=seed)

    def policies(self) -> list[Policy]:
        """Return everyone's policy of this moment."""
        return [self.ppo.population.export(k) for k in range(len(self.members))]

    def _draw_noise(self, size: int) -> Tensor:
        return torch.randn(len(self.members), self._num_envs, size, generator=self.noise)


def _returns(task: GymnasiumTask, policies: Sequence[Policy], episodes: int, seed: int) -> Tensor:
    """Return `(policies, episodes)`, what Gymnasium's environment pays in an episode."""
    worlds = len(policies) * episodes
    returns, on = torch.zeros(worlds), torch.ones(worlds, dtype=torch.bool)

    def watch(before: State, step: Step) -> None:
        returns.add_(torch.where(on, _paid(task, step.state), 0.0))
        on.logical_and_(~(step.terminated | step.truncated))

    run_episodes(task, policies, episodes=episodes, seed=seed, watch=watch)
    return returns.view(len(policies), episodes)


def _paid(task: GymnasiumTask, state: State) -> Tensor:
    """The human reward, in no sealed process: it is ours."""
    weights, effort = task.weights, state["action"].square().sum(dim=1)
    return (
        weights.forward * state["x_velocity"]
        + weights.alive * state["healthy"]
        - weights.cost * effort
    )


if __name__ == "__main__":
    tyro.cli(main)

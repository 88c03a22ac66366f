"""Transitions of a task, on which rewards are compared."""

from __future__ import annotations

from collections.abc import Sequence

from eureka_agent.rewards import distance
from eureka_agent.rewards.distance import Transitions
from eureka_agent.simulation.rollouts import Act
from eureka_agent.tasks.task import Task
from eureka_agent.training.budgets import budgets_of


def sample_transitions(
    task: Task,
    *,
    policies: Sequence[Act] = (),
    seed: int = 0,
    num_envs: int = distance.NUM_ENVS,
    steps: int = distance.STEPS,
    discount: float | None = None,
) -> Transitions:
    """Return transitions of a task for `reward_distance`.

    Args:
        task: The task.
        policies: Policies that act besides uniformly random actions, with noise on their actions.
        seed: Seed of the initial states and the actions.
        num_envs: Environments, shared equally between random actions and the policies.
        steps: Environment steps in each.
        discount: Discount of the rewards' returns, by default that of the task's normal budget.

    Returns:
        `num_envs * steps` transitions, without those in which the physics diverged.

    Raises:
        UsageError: There are fewer environments than ways to act.
    """
    discount = budgets_of(task)["normal"].discount if discount is None else discount
    return distance.sample_transitions(
        task, policies=policies, seed=seed, num_envs=num_envs, steps=steps, discount=discount
    )

"""How much training the environments get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from eureka_agent.config import BudgetName, TrainingBudget


def budgets(
    *,
    num_envs: int,
    horizon: int,
    quick: int,
    normal: int,
    paper: int,
    discount: float = 0.99,
    gae_lambda: float = 0.95,
) -> Mapping[BudgetName, TrainingBudget]:
    """Return the budgets of an environment.

    Few environments with long rollouts learn more reliably than many with short ones
    (docs/seeds.md); `paper` has many for their speed.

    Args:
        num_envs: Environments of a candidate, `quick` and `normal`.
        horizon: Steps per rollout there.
        quick: Environment steps.
        normal: Environment steps.
        paper: Environment steps.
        discount: The discount, which depends on the seconds per step.
        gae_lambda: Of generalised advantage estimation.
    """
    small = TrainingBudget(
        num_envs=num_envs,
        environment_steps=quick,
        horizon=horizon,
        discount=discount,
        gae_lambda=gae_lambda,
    )
    return {
        "quick": small,
        "normal": replace(small, environment_steps=normal),
        "paper": replace(
            small, num_envs=1024, environment_steps=paper, horizon=32, gae_lambda=0.95
        ),
    }

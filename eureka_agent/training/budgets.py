"""How much training a task's candidates get: `BUDGETS` of the task's file, or the defaults."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from eureka_agent.config import BudgetName, SynthesisConfig, TrainingBudget
from eureka_agent.errors import TaskError
from eureka_agent.tasks.task import Task

Budgets = Mapping[BudgetName, TrainingBudget]
DEFAULT_BUDGETS: Budgets = {
    "quick": TrainingBudget(num_envs=64, environment_steps=100_000),
    "normal": TrainingBudget(num_envs=256, environment_steps=1_000_000, horizon=32),
    "paper": TrainingBudget(
        num_envs=2048, environment_steps=20_000_000, hidden=(256, 128, 64), learning_rate=5e-4
    ),
}
"""For tasks whose file has no `BUDGETS`."""
_COUNTS = (
    "num_envs",
    "environment_steps",
    "horizon",
    "evaluation_episodes",
    "epochs",
    "minibatches",
)


def budgets_of(task: Task) -> Budgets:
    """Return the training budgets of a task.

    Args:
        task: The task. Its budgets are `BUDGETS` of the file that defines its class.

    Returns:
        The budgets by name; `DEFAULT_BUDGETS` where the file has none.

    Raises:
        TaskError: `BUDGETS` is wrong. The message has file, line and what to do.
    """
    module = sys.modules.get(type(task).__module__)
    budgets = getattr(type(task), "BUDGETS", getattr(module, "BUDGETS", None))
    if budgets is None:
        return DEFAULT_BUDGETS
    _check_budgets(budgets, _place_of(getattr(module, "__file__", None)))
    checked: Budgets = budgets
    return checked


def training_budget(config: SynthesisConfig, task: Task) -> TrainingBudget:
    """Return the task's budget that a config names, with the config's overrides.

    Raises:
        TaskError: The task's `BUDGETS` are wrong.
    """
    return config.training.override(budgets_of(task)[config.training.budget])


def _check_budgets(budgets: object, place: str) -> None:
    if not isinstance(budgets, Mapping):
        raise TaskError(
            f"{place}: BUDGETS must be a dictionary with a TrainingBudget for each of"
            f" {', '.join(get_args(BudgetName))}."
        )
    for name in get_args(BudgetName):
        budget = budgets.get(name)
        if not isinstance(budget, TrainingBudget):
            raise TaskError(
                f"{place}: BUDGETS[{name!r}] must be a TrainingBudget(num_envs, environment_steps),"
                f" but it is {budget!r:.60}: give one for each of"
                f" {', '.join(get_args(BudgetName))}."
            )
        _check_budget(budget, name, place)


def _check_budget(budget: TrainingBudget, name: str, place: str) -> None:
    wrong = [count for count in _COUNTS if not _is_count(getattr(budget, count))]
    if wrong:
        raise TaskError(
            f"{place}: {wrong[0]} of BUDGETS[{name!r}] must be a whole number of 1 or more, but it"
            f" is {getattr(budget, wrong[0])!r:.60}."
        )
    if not isinstance(budget.hidden, tuple) or not all(map(_is_count, budget.hidden)):
        raise TaskError(
            f"{place}: hidden of BUDGETS[{name!r}] must be a tuple of whole numbers of 1 or more,"
            f" but it is {budget.hidden!r:.60}."
        )
    steps = budget.num_envs * budget.horizon
    if budget.minibatches > steps:
        raise TaskError(
            f"{place}: BUDGETS[{name!r}] has {budget.minibatches} minibatches for num_envs x"
            f" horizon = {steps} steps per update: raise num_envs or horizon."
        )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _place_of(file: str | None) -> str:
    """Return `file:line` of `BUDGETS`."""
    if file is None:
        return "BUDGETS"
    lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    line = next((n for n, text in enumerate(lines, 1) if text.startswith("BUDGETS")), 1)
    return f"{file}:{line}"

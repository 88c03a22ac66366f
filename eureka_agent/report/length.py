"""Estimate how long a run will take, from this machine's measured speed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from rich.text import Text

from eureka_agent.config import BudgetName, SynthesisConfig
from eureka_agent.errors import EurekaError
from eureka_agent.jail import Layers
from eureka_agent.proposers.description import ProposerDescription
from eureka_agent.report.formatting import approximate, quantity
from eureka_agent.report.plan import planned_trainings
from eureka_agent.search.events import RunStarted
from eureka_agent.tasks.task import Task
from eureka_agent.training import measure_speed
from eureka_agent.training.budgets import budgets_of

_COMPARED = 3
"""Trainings of `evaluate`: the file's reward, the human and the sparse one."""
_WORDS = {2: "two", 3: "three"}

Measure: TypeAlias = Callable[[RunStarted], float | None]
"""Returns the environment steps per second of a run's trainings; None if they cannot be known
before."""


def speed_of(run: RunStarted) -> float | None:
    """Measure the speed of a new run with the built-in trainer on the CPU; None for others."""
    config = run.config
    if (
        run.resumed
        or config.training.trainer_name != "population"
        or config.training.device != "cpu"
    ):
        return None
    try:
        return measure_speed(run.task, run.budget, threads=config.training.threads)
    except EurekaError:  # the training itself will report it better
        return None


def run_length_s(run: RunStarted, speed: float) -> float:
    """Return the seconds that a run's trainings take at `speed` environment steps per second."""
    return planned_trainings(run).environment_steps / speed


def takes(run: RunStarted, speed: float) -> str:
    """Return how long the run will take, in one sentence."""
    answers = "; the models' answers take extra time" if run.config.models.weights else ""
    return (
        f"The trainings take {approximate(run_length_s(run, speed))} on this"
        f" machine{at(speed)}{answers}."
    )


def at(speed: float) -> str:
    """Return the speed that an estimate is based on."""
    return f", at the {quantity(speed)} environment steps/s just measured"


def default_run(task: Task, budget: BudgetName) -> RunStarted:
    """Return the first event of the run of `synthesize --task NAME --budget BUDGET`."""
    config = SynthesisConfig.of(task.name, budget=budget)
    proposer = ProposerDescription("grammar", "grammar")
    layers = Layers("full", (), {}, ())  # nothing is known of the sandbox, nor needed
    return RunStarted(
        Path(), task, config, budgets_of(task)[budget], proposer, layers, resumed=False
    )


def comparison_length(task: Task, budget: BudgetName, seeds: int = 1) -> list[Text]:
    """Return how long `evaluate` will take; an empty list if that is not known."""
    run = default_run(task, budget)
    speed = speed_of(run)
    if not speed:
        return []
    compared = _COMPARED if task.has_human_reward else _COMPARED - 1
    steps = compared * seeds * run.budget.environment_steps
    often = f" with {seeds} seeds each" if seeds > 1 else ""
    return [
        Text(
            f"Training {_WORDS[compared]} rewards{often} ({quantity(steps)} environment steps)"
            f" takes {approximate(steps / speed)} on this machine{at(speed)}."
        )
    ]

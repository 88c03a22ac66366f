"""Measure where a task's state variables lie, for the first prompt.

The temperatures and limits of a reward depend on the sizes that its inputs have: at the start of
episodes, under random actions, and once a policy has begun to learn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from eureka_agent.config import SynthesisConfig, TrainingBudget
from eureka_agent.records import FigureRow, Spread, StateFigures
from eureka_agent.rewards.runner import SparseReward
from eureka_agent.runs.store import Store
from eureka_agent.simulation.rollouts import Act, random_actions
from eureka_agent.simulation.samples import sample_steps, with_noise
from eureka_agent.tasks.source_lines import naming_lines_of
from eureka_agent.tasks.task import StateVariable, Task
from eureka_agent.training import make_trainer
from eureka_agent.training.budgets import training_budget
from eureka_agent.training.trainer import TrainerSettings
from eureka_agent.utils.serialization import from_json, to_json
from eureka_agent.utils.torch_threads import one_torch_thread

_KEY = "state figures"
_TRAINING_STEPS = 20_000  # a few seconds on two cores
_TRAINING_ENVS = 64
_STARTS = 256
_ENVS, _STEPS = 32, 64
_NAMED_ENTRIES = 4
"""A variable with more entries gets one row for all of them, unless their units differ."""
_AXES = ("x", "y", "z")
_LEFT_OUT = ("action", "episode_time")
"""Their sizes are known."""


def figures_of(store: Store, task: Task) -> StateFigures:
    """Return the figures of a run's task, measured once and stored.

    Args:
        store: The run's database.
        task: Its task.

    Raises:
        StoreError: The database cannot be read or written.
        TaskError: The task's code failed.
    """
    stored = store.metadata(_KEY)
    if stored is not None:
        return from_json(StateFigures, stored)
    figures = measure_figures(task, store.config)
    store.save_metadata(_KEY, to_json(figures))
    return figures


def measure_figures(task: Task, config: SynthesisConfig) -> StateFigures:
    """Measure the state variables of a task; the same config gives the same figures.

    Args:
        task: The task.
        config: Its budget, at most 20,000 steps of it, trains a policy with the sparse reward if
            that is for the run's instruction.

    Returns:
        The figures.
    """
    budget = _short(training_budget(config, task))
    seed, device = config.search.seed, config.training.device
    with naming_lines_of(task):
        policy = _short_training(task, budget, config) if config.task.has_fitness else None
        with one_torch_thread():
            env = task.make_env(_STARTS, seed=seed, device=device, reads=())
            start = {name: value.cpu() for name, value in env.state.items()}
            random = _states(task, random_actions(task, seed=seed), seed, device)
            trained = None
            if policy is not None:
                trained = _states(task, with_noise(policy, task, seed=seed), seed, device)
    return _figures(task, _Phases(start, random, trained), budget)


def longest_figures(task: Task, budget: TrainingBudget) -> StateFigures:
    """Return made-up figures that take at least as much text as any that can be measured.

    Args:
        task: The task.
        budget: The budget of its trainings.
    """
    long_number, another = -1.11e-10, -1.22e-10
    shapes = task.reward_inputs.shapes.items()
    states = {name: torch.full((2, *shape), long_number) for name, shape in shapes}
    for values in states.values():
        values[1] = another
    return _figures(task, _Phases(states, states, states), _short(budget))


def _figures(task: Task, phases: _Phases, budget: TrainingBudget) -> StateFigures:
    rows: list[FigureRow] = []
    for variable in task.reward_inputs.variables:
        if variable.name not in _LEFT_OUT:
            rows += _rows_of(variable, phases)
    return StateFigures(budget.environment_steps, tuple(rows))


def _short(budget: TrainingBudget) -> TrainingBudget:
    return replace(
        budget,
        num_envs=min(budget.num_envs, _TRAINING_ENVS),
        environment_steps=min(budget.environment_steps, _TRAINING_STEPS),
    )


def _short_training(task: Task, budget: TrainingBudget, config: SynthesisConfig) -> Act | None:
    """Return the policy of a short training with the sparse reward; None if it diverged."""
    trainer = make_trainer("population", device=config.training.device)
    settings = TrainerSettings(
        budget,
        seed=config.search.seed,
        threads=config.training.threads,
        device=config.training.device,
    )
    (result,) = trainer.train(task, [SparseReward()], settings)
    return result.policy


def _states(task: Task, act: Act, seed: int, device: str) -> dict[str, Tensor]:
    states, _ = sample_steps(task, [act], seed=seed, num_envs=_ENVS, steps=_STEPS, device=device)
    return states


# ---------------------------------------------------------------------- rows
@dataclass(frozen=True)
class _Phases:
    """The states of each phase, `(rows, *shape)` by name."""

    start: Mapping[str, Tensor]
    random: Mapping[str, Tensor]
    trained: Mapping[str, Tensor] | None

    def never_changes(self, name: str) -> bool:
        """Whether a variable has the same value in all states."""
        first = self.start[name][:1]
        return bool((self.start[name] == first).all() and (self.random[name] == first).all())

    def row(self, name: str, unit: str, values: _Values) -> FigureRow:
        """Return the row of what `values` reads in the states of each phase."""
        trained = None if self.trained is None else _spread(values(self.trained))
        return FigureRow(
            name, unit, _spread(values(self.start)), _spread(values(self.random)), trained
        )


@dataclass(frozen=True)
class _Values:
    """Reads a state variable: all its entries, or one of the last dimension."""

    variable: str
    entry: int | None = None

    def __call__(self, states: Mapping[str, Tensor]) -> Tensor:
        """Return the values, `(n,)`."""
        values = states[self.variable]
        return values.flatten() if self.entry is None else values[..., self.entry].flatten()


@dataclass(frozen=True)
class _Distance(_Values):
    """Reads how far a variable is from its goal: the distance, or the angle of unit vectors."""

    goal: str = ""
    is_angle: bool = False

    def __call__(self, states: Mapping[str, Tensor]) -> Tensor:
        """Return the distances, `(n,)`, or angles in rad."""
        value, goal = states[self.variable], states[self.goal]
        if self.is_angle:
            return (value * goal).sum(dim=-1).clamp(-1.0, 1.0).acos().flatten()
        distance = value - goal
        return distance.abs() if distance.dim() == 1 else distance.norm(dim=-1).flatten()


def _rows_of(variable: StateVariable, phases: _Phases) -> Iterator[FigureRow]:
    """Yield the rows of a variable; none for one that tells nothing."""
    name = variable.name
    mixed = ", " in variable.unit
    unit = "-" if mixed else variable.unit
    size = variable.shape[-1] if variable.shape else 1
    many = size > _NAMED_ENTRIES and not mixed
    if variable.kind.startswith("quaternion") or (many and phases.never_changes(name)):
        return
    if not variable.shape:
        yield phases.row(name, unit, _Values(name))
    elif not many:
        for entry in range(size):
            yield phases.row(_entry_name(variable, entry), unit, _Values(name, entry))
    else:
        yield phases.row(f"{name}, all {size} entries", unit, _Values(name))
    if variable.goal_for is not None:
        yield _distance_row(variable, variable.goal_for, phases)


def _entry_name(variable: StateVariable, entry: int) -> str:
    """Return how Python reads an entry, with its name, such as `v[:, 0] (x)`."""
    names = variable.elements or (_AXES if variable.shape[-1] == len(_AXES) else ())
    index = ", ".join([":"] * len(variable.shape) + [str(entry)])
    label = f" ({names[entry]})" if names else ""
    return f"{variable.name}[{index}]{label}"


def _distance_row(goal: StateVariable, name: str, phases: _Phases) -> FigureRow:
    if goal.kind == "unit_vector":
        reader = _Distance(name, goal=goal.name, is_angle=True)
        return phases.row(f"angle between {name} and {goal.name}", "rad", reader)
    reader = _Distance(name, goal=goal.name)
    return phases.row(f"distance of {name} from {goal.name}", goal.unit, reader)


def _spread(values: Tensor) -> Spread:
    values = values.double()
    low, high = torch.quantile(values, torch.tensor([0.05, 0.95], dtype=torch.float64)).tolist()
    return Spread(float(values.mean()), low, high)

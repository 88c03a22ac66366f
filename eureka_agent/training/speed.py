"""Measures how fast this machine trains a task, by a short training."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import torch

from eureka_agent.config import TrainingBudget
from eureka_agent.rewards.runner import SparseReward
from eureka_agent.tasks.task import Task
from eureka_agent.training.population import PopulationTrainer
from eureka_agent.training.results import Progress
from eureka_agent.training.trainer import TrainerSettings

_REWARDS = 2
_ITERATIONS = 3
_FEWEST_ENVS = 16
_MOST_ENVS = 64
_TIMED_STEPS = 3
_ITERATION_S = 0.2
"""Seconds of simulation per iteration; learning takes about as long if the simulation is cheap."""


def measure_speed(task: Task, budget: TrainingBudget, *, threads: int | None = None) -> float:
    """Return `Progress.steps_per_second` of a training on the CPU.

    Trains a few iterations with the sparse reward, in fewer environments than `budget` has, and
    uses the fastest one: the first compiles, and other programs may slow down the others.
    """
    num_envs = _enough_envs(task, budget)
    steps = num_envs * budget.horizon
    small = replace(budget, num_envs=num_envs, environment_steps=_ITERATIONS * steps)
    seconds: list[float] = []

    def note(progress: Progress) -> None:
        seconds.append(progress.seconds)

    settings = TrainerSettings(small, seed=0, threads=threads)
    PopulationTrainer().train(task, [SparseReward()] * _REWARDS, settings, on_progress=note)
    fastest = min(after - before for before, after in pairwise(seconds))
    return _REWARDS * steps / max(fastest, 1e-6)


def _enough_envs(task: Task, budget: TrainingBudget) -> int:
    """Return a number of environments for which an iteration is short but not mostly overhead."""
    env = task.make_env(_MOST_ENVS, seed=0)
    action = torch.zeros(_MOST_ENVS, task.action_size)
    times = [time.perf_counter()]
    for _ in range(_TIMED_STEPS):
        env.step(action)
        times.append(time.perf_counter())
    step_s = min(after - before for before, after in pairwise(times)) / _MOST_ENVS
    fitting = int(_ITERATION_S / (step_s * _REWARDS * budget.horizon))
    return min(budget.num_envs, max(_FEWEST_ENVS, min(_MOST_ENVS, fitting)))

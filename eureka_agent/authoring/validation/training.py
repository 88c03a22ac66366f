"""Checks that a task can be trained: budgets, and short trainings with rewards."""

from __future__ import annotations

from collections.abc import Iterator

from eureka_agent.authoring.validation.findings import Finding, failed, ok, warning
from eureka_agent.checks import check_source
from eureka_agent.config import SandboxLevel, TrainingBudget
from eureka_agent.errors import TaskError
from eureka_agent.tasks.registry import reference
from eureka_agent.tasks.task import Task
from eureka_agent.text import number
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.job import JobReward, TrainingJob, run_job
from eureka_agent.training.speed import measure_speed

_ZERO = """import torch


def compute_reward(action):
    total = torch.zeros_like(action[:, 0])
    return total, {"zero": total}
"""
_LONG_S = 90.0
_BUDGET = TrainingBudget(num_envs=8, environment_steps=512, evaluation_episodes=4)


def check_training(task: Task, sandbox: SandboxLevel) -> Iterator[Finding]:
    """Check the budgets, and train for a moment with a zero, the sparse and the human reward."""
    try:
        quick = budgets_of(task)["quick"]
    except TaskError as error:
        yield failed("budgets", str(error))
    else:
        yield _budget(task, quick)
    job = TrainingJob(reference(task), _rewards(task), _BUDGET, seed=0, sandbox=sandbox)
    for trained in run_job(job, task=task):
        if trained.failure is not None:
            yield failed(trained.name, f"{trained.failure.message}")
        elif trained.evaluation is not None:
            reached = number(trained.evaluation.fitness)
            yield ok(
                trained.name,
                f"trains and evaluates; after {_BUDGET.environment_steps} steps {reached}"
                f" {task.fitness_unit}.",
            )


def _budget(task: Task, quick: TrainingBudget) -> Finding:
    """Measure how long a quick training takes on this machine."""
    speed = measure_speed(task, quick)
    seconds = quick.environment_steps / speed
    detail = (
        f"a quick training has {quick.environment_steps:,} environment steps and takes about"
        f" {number(seconds, 0)} s here, at {number(speed, 0)} steps/s"
    )
    if seconds <= _LONG_S:
        return ok("budgets", f"{detail}.")
    return warning(
        "budgets",
        f"{detail}: simplify the collisions of meshes, raise the timestep, or lower"
        " environment_steps in BUDGETS.",
    )


def _rewards(task: Task) -> tuple[JobReward, ...]:
    """Return the rewards to train with; the human one if there is one."""
    rewards = [
        JobReward("zero reward", check_source(_ZERO, task.reward_inputs)),
        JobReward("sparse reward", None),
    ]
    if task.has_own_reward:
        rewards.append(JobReward("human reward", None, built_in="own"))
    elif task.has_human_source:
        source = check_source(task.human_reward, task.reward_inputs)
        rewards.append(JobReward("human reward", source))
    return tuple(rewards)

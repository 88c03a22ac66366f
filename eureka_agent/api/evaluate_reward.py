"""Rewards that a user has in a file: are they sound, and what are they worth?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from eureka_agent.api.reward_function import RewardFunction
from eureka_agent.config import TrainingBudget
from eureka_agent.errors import CandidateError, RewardFileError
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.records import Baseline, Evaluation
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import Listener
from eureka_agent.tasks.task import Task
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.policy import Policy
from eureka_agent.utils.out_of_memory import memory_advice


@dataclass(frozen=True)
class Comparison:
    """A reward file's fitness beside the references, all trained side by side with one budget and
    seed."""

    path: Path
    seed: int
    evaluation: Evaluation
    policy: Policy
    baselines: tuple[Baseline, ...]


def check_static(path: Path, task: Task) -> None:
    """Check a reward file as far as that goes without the sandbox, whose start takes seconds.

    Raises RewardFileError with what to change.
    """
    RewardFunction.load(path, task)


def check_file(path: Path, task: Task, sandbox: Sandbox) -> tuple[str, ...]:
    """Check and probe a reward file; return its components' names. Raises RewardFileError with what
    to change."""
    with ExitStack() as open_rewards:
        evaluator = Evaluator(task, budgets_of(task)["quick"], sandbox, seed=0)
        return _opened(path, task, evaluator, open_rewards).component_names


def check_human_reward(task: Task, sandbox: Sandbox) -> None:
    """Check and probe the reward that people wrote for a task. Raises TaskError with what to
    change."""
    with ExitStack() as open_rewards:
        Evaluator(task, budgets_of(task)["quick"], sandbox, seed=0).human(open_rewards)


def compare(
    path: Path,
    task: Task,
    budget: TrainingBudget,
    sandbox: Sandbox,
    *,
    seed: int,
    emit: Listener,
    started: Callable[[], None] = lambda: None,
) -> Comparison:
    """Train with the file's reward, the human and the sparse reward. Raises RewardFileError when
    the file's fails.

    `started` is called once the file's reward is known to work, before the training.
    """
    advice = f"choose a smaller --budget (this one has {budget.num_envs:,} worlds a reward)"
    with memory_advice(advice), ExitStack() as open_rewards:
        evaluator = Evaluator(task, budget, sandbox, seed=seed, emit=emit)
        reward = _opened(path, task, evaluator, open_rewards)
        started()
        (trial,), baselines = evaluator.beside_baselines([path.name], [reward])
        if trial.evaluation is None or trial.result.policy is None:
            raise RewardFileError(f"The training with {path} failed: {trial.result.error}")
        return Comparison(path, seed, trial.evaluation, trial.result.policy, baselines)


def _opened(
    path: Path, task: Task, evaluator: Evaluator, open_rewards: ExitStack
) -> SandboxedReward:
    function = RewardFunction.load(path, task)
    try:
        return evaluator.open(function.reward, open_rewards)
    except CandidateError as error:
        raise RewardFileError(f"{path} is no reward function for {task.name}: {error}") from error

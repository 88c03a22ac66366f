"""Check and evaluate a user's reward file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from eureka_agent.api.reward_function import RewardFunction
from eureka_agent.config import TrainingBudget
from eureka_agent.errors import CandidateError, RewardFileError
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.report.comparison import Comparison
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import Listener
from eureka_agent.tasks.task import Task
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.job import JobReward
from eureka_agent.training.policy import Policy
from eureka_agent.utils.out_of_memory import memory_advice


@dataclass(frozen=True)
class TrainedComparison(Comparison):
    """A comparison with the policy that was trained with the file's reward."""

    policy: Policy


def check_static(path: Path, task: Task) -> None:
    """Check a reward file without starting the sandbox, which takes seconds.

    Raises RewardFileError with what to change.
    """
    RewardFunction.load(path, task)


def check_file(path: Path, task: Task, sandbox: Sandbox) -> tuple[str, ...]:
    """Check a reward file in the sandbox and return its components' names.

    Raises RewardFileError with what to change.
    """
    with ExitStack() as open_rewards:
        evaluator = Evaluator(task, budgets_of(task)["quick"], sandbox, seed=0)
        return _opened(path, task, evaluator, open_rewards).component_names


def check_human_reward(task: Task, sandbox: Sandbox) -> None:
    """Check a task's human reward in the sandbox. Raises TaskError with what to change."""
    Evaluator(task, budgets_of(task)["quick"], sandbox, seed=0).human()


def compare(
    path: Path,
    task: Task,
    budget: TrainingBudget,
    sandbox: Sandbox,
    *,
    seed: int,
    emit: Listener,
    started: Callable[[], None] = lambda: None,
) -> TrainedComparison:
    """Train with the file's reward, the human and the sparse reward.

    `started` is called before the training, when the file's reward has passed the checks. Raises
    RewardFileError if it does not pass, or if its training fails.
    """
    advice = f"choose a smaller --budget (this one has {budget.num_envs:,} environments a reward)"
    with memory_advice(advice):
        evaluator = Evaluator(task, budget, sandbox, seed=seed, emit=emit)
        with ExitStack() as open_rewards:
            source = _opened(path, task, evaluator, open_rewards).reward
        started()
        (trained,), baselines = evaluator.train_with_baselines([JobReward(path.name, source)])
    if trained.evaluation is None or trained.policy is None:
        reason = trained.failure.message if trained.failure else "it left no policy."
        raise RewardFileError(f"The training with {path} failed: {reason}")
    policy = Policy.from_bytes(trained.policy)
    return TrainedComparison(path, seed, trained.evaluation, baselines, policy)


def _opened(
    path: Path, task: Task, evaluator: Evaluator, open_rewards: ExitStack
) -> SandboxedReward:
    function = RewardFunction.load(path, task)
    try:
        return evaluator.open(function.reward, open_rewards)
    except CandidateError as error:
        raise RewardFileError(
            f"{path} is not a valid reward function for {task.name}: {error}"
        ) from error

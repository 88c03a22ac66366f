"""Check and evaluate a user's reward file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from eureka_agent.api.reward_function import RewardFunction
from eureka_agent.config import TrainingBudget
from eureka_agent.errors import CandidateError, RewardFileError
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.records import Baseline, SeededResult
from eureka_agent.report.comparison import Comparison
from eureka_agent.search.baselines import (
    WithReferences,
    draws_at_once,
    train_with_baselines,
    train_with_references,
)
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import Listener, SeedTrained
from eureka_agent.search.intensify import seed_result, training_seed
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
    Evaluator(task, budgets_of(task)["quick"], sandbox, seed=0).human("human reward")


def compare(
    path: Path,
    task: Task,
    budget: TrainingBudget,
    sandbox: Sandbox,
    *,
    seed: int,
    seeds: int = 1,
    emit: Listener,
    started: Callable[[], None] = lambda: None,
) -> TrainedComparison:
    """Train with the file's reward, the human and the sparse reward.

    Args:
        path: The file with the reward.
        task: What the policies are trained for.
        budget: How much training each of the three rewards gets with each seed.
        sandbox: Runs the rewards.
        seed: The first training seed.
        seeds: Number of training seeds, which all three share.
        emit: Called with every event.
        started: Called before the training, when the file's reward has passed the checks.

    Returns:
        The comparison; its policy is that of the file's best training.

    Raises:
        RewardFileError: The reward does not pass the checks, or its first training fails. A later
            one that fails counts as random actions.
    """
    advice = f"choose a smaller --budget (this one has {budget.num_envs:,} environments a reward)"
    with memory_advice(advice):
        evaluator = Evaluator(task, budget, sandbox, seed=seed, emit=emit)
        with ExitStack() as open_rewards:
            source = _opened(path, task, evaluator, open_rewards).reward
        started()
        reward = JobReward(path.name, source)
        (trained,), measured = train_with_baselines(evaluator, [reward], emit)
        if trained.evaluation is None or trained.policy is None:
            reason = trained.failure.message if trained.failure else "it left no policy."
            raise RewardFileError(f"The training with {path} failed: {reason}")
        results = [SeededResult.of(trained), *measured.baselines]
        best, policy = trained.evaluation.fitness, trained.policy
        number = 1
        while number < seeds:
            together = draws_at_once(evaluator, len(results), seeds - number)
            seeded = evaluator.with_seed(training_seed(seed, number))
            endings = [f" seed {number + draw + 1}" for draw in range(together)]
            for further in train_with_references(seeded, [reward], endings):
                results = _with_one_more(seeded, number, results, further)
                number += 1
                emit(SeedTrained(0, number, seeds, _last_fitness(path.name, results)))
                fitness, again = results[0].fitness_by_seed[-1], further.rewards[0].policy
                if again is not None and fitness > best:
                    best, policy = fitness, again
    compared = tuple(each for each in results if isinstance(each, Baseline))
    return TrainedComparison(path, seed, results[0], compared, Policy.from_bytes(policy))


def _with_one_more(
    evaluator: Evaluator, number: int, results: Sequence[SeededResult], trained: WithReferences
) -> list[SeededResult]:
    """Return the results with those of a further seed.

    Args:
        evaluator: The evaluator with that seed.
        number: Number of the seed, from 1.
        results: The results so far: of the reward, then of the baselines.
        trained: The trainings with that seed.
    """
    references = {"human": trained.human, "sparse": trained.sparse}
    further: list[SeededResult] = []
    for each in results:
        new = references.get(each.name) if isinstance(each, Baseline) else trained.rewards[0]
        if new is not None:  # random actions are not trained
            more = (*each.more_seeds, seed_result(evaluator, number, new))
            each = replace(each, more_seeds=more)
        further.append(each)
    return further


def _last_fitness(name: str, results: Sequence[SeededResult]) -> dict[str, float]:
    """Return the fitness of the last training of each reward, by its name."""
    return {
        f"{each.name} reward" if isinstance(each, Baseline) else name: each.fitness_by_seed[-1]
        for each in results
        if each.more_seeds
    }


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

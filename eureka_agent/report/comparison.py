"""A reward file against the baselines, and sentences on how meaningful a comparison is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, get_args

from eureka_agent.config import BudgetName
from eureka_agent.records import Baseline, Evaluation, Outcome, SeededResult
from eureka_agent.report.formatting import BASELINES, decimals_for, number
from eureka_agent.search.estimates import expected
from eureka_agent.search.selection import score_of
from eureka_agent.search.statistics import Score, alike

_LEAST_SHARE = 0.1
"""Of the way from random actions to a solved task: with less the budget is too small."""


class Measured(Protocol):
    """What measures a fitness: a task, or what a run's report says of it."""

    @property
    def fitness_unit(self) -> str:
        """The unit of the fitness."""

    @property
    def fitness_solved(self) -> float:
        """The fitness that counts as solved."""


@dataclass(frozen=True)
class Comparison:
    """A reward file's results and the baselines, all trained with one budget and equal seeds."""

    path: Path
    """The file."""
    seed: int
    """The first training seed."""
    result: SeededResult
    """What the trainings with it gave; it has an evaluation."""
    baselines: tuple[Baseline, ...]

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation of the file's reward over all training seeds."""
        overall = self.result.overall
        assert overall is not None
        return overall


def worth(
    result: Evaluation, baselines: Sequence[Baseline], task: Measured, *, longer: str
) -> list[str]:
    """Return why a comparison with the baselines means nothing; empty if it is meaningful.

    Args:
        result: The evaluation of the reward that is compared.
        baselines: The references.
        task: The task.
        longer: How to train longer, as an option.
    """
    known = {baseline.name: baseline.overall for baseline in baselines}
    if not {"human", "sparse", "random"} <= known.keys():
        return []
    human, sparse, random = known["human"], known["sparse"], known["random"]
    if _hardly_better(human, random, task.fitness_solved):
        decimals = decimals_for((human.fitness, random.fitness))
        figures = f"{number(human.fitness, decimals)} against {number(random.fitness, decimals)}"
        return [
            "At this budget the human reward is hardly better than random actions"
            f" ({figures} {task.fitness_unit}), so rewards cannot be compared: train longer,"
            f" {longer}."
        ]
    if _same(result, human) and _same(human, sparse) and _same(result, sparse):
        solved = min(result.fitness, human.fitness, sparse.fitness) >= task.fitness_solved
        advice = " All solve the task: a smaller budget may separate them." if solved else ""
        return [
            "All rewards, including the sparse one, give about the same fitness, so nothing was"
            f" compared.{advice}"
        ]
    return []


def verdict(
    best: Outcome, outcomes: Sequence[Outcome], baselines: Sequence[Baseline], unit: str
) -> list[str]:
    """Return what the best reward is worth over several training seeds, and what it beats.

    Args:
        best: The best candidate.
        outcomes: All candidates of the run.
        baselines: The references; random actions are no opponent.
        unit: The unit of fitness.

    Returns:
        Sentences; none if there is one training each, which decides nothing.
    """
    estimate, name = expected(best, outcomes, baselines), best.candidate.name
    if estimate is None:
        return []
    worth = (
        f"{name} is expected to reach {number(estimate.value)} {unit} with a new training seed"
        f" ({number(estimate.low)} to {number(estimate.high)}, from {estimate.seeds} trainings)."
    )
    opponents = [each for each in baselines if each.name != "random" and each.more_seeds]
    score = Score(estimate.value, estimate.low, estimate.high)
    worse = [each for each in opponents if _beats(score, each.overall)]
    better = [each for each in opponents if each.overall.fitness >= score.value]
    unclear = [each for each in opponents if each not in (*worse, *better)]
    verdicts = (
        ("does not beat", better),
        ("is not clearly better than", unclear),
        ("beats", worse),
    )
    said = [f"{name} {verb} {_listed(those, unit)}." for verb, those in verdicts if those]
    return [*said, worth]


def _listed(baselines: Sequence[Baseline], unit: str) -> str:
    return " and ".join(
        f"the {BASELINES[each.name]} ({number(each.overall.fitness)} {unit})" for each in baselines
    )


def _beats(score: Score, opponent: Evaluation) -> bool:
    return score.value > opponent.fitness and not alike(score, score_of(opponent))


def longer_than(budget: BudgetName, *, own_steps: bool = False) -> str:
    """Return the option that trains longer than a budget.

    Args:
        budget: The name of the budget.
        own_steps: Whether the number of environment steps replaces the budget's.
    """
    names = get_args(BudgetName)
    if own_steps:
        return "with more --environment-steps"
    if budget == names[-1]:
        return "with larger BUDGETS in the task's file"
    return f"--budget {names[names.index(budget) + 1]}"


def meaning_of_intervals(comparison: Comparison) -> str:
    """Return what the intervals of a comparison are over."""
    evaluation, seed = comparison.evaluation, comparison.seed
    if evaluation.seeds == 1:
        return (
            f"One training each, with seed {seed}: the 95 % intervals are over the"
            f" {evaluation.episodes} episodes of that one training, and other seeds may give other"
            " results (--seeds 5)."
        )
    return (
        f"Means over {evaluation.seeds} training seeds, which the rewards share; the first is"
        f" {seed}. Their 95 % intervals are over these seeds (Student's t), that of random actions"
        " is over episodes."
    )


def _hardly_better(human: Evaluation, random: Evaluation, solved: float) -> bool:
    """Whether a budget is too small for the human reward, so that it can tell nothing of others.

    That is where it and random actions are alike, or where it gets less than a tenth of the way
    from random actions to the fitness that counts as solved.
    """
    if human.fitness <= random.fitness or _same(human, random):
        return True
    return human.fitness - random.fitness < _LEAST_SHARE * (solved - random.fitness)


def _same(a: Evaluation, b: Evaluation) -> bool:
    return alike(score_of(a), score_of(b))

"""A reward file against the baselines, and sentences on how meaningful a comparison is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eureka_agent.records import Baseline, Evaluation, Outcome
from eureka_agent.report.formatting import BASELINES, number
from eureka_agent.search.estimates import expected
from eureka_agent.search.selection import score_of
from eureka_agent.search.statistics import Score, alike
from eureka_agent.tasks.task import Task


@dataclass(frozen=True)
class Comparison:
    """A reward file's fitness and the baselines, all trained with one budget and seed."""

    path: Path
    """The file."""
    seed: int
    """The seed of all trainings."""
    evaluation: Evaluation
    """The result of the policy trained with it."""
    baselines: tuple[Baseline, ...]


def worth(result: Evaluation, baselines: Sequence[Baseline], task: Task) -> list[str]:
    """Return why a comparison with the baselines means nothing; empty if it is meaningful."""
    known = {baseline.name: baseline.overall for baseline in baselines}
    if not {"human", "sparse", "random"} <= known.keys():
        return []
    human, sparse, random = known["human"], known["sparse"], known["random"]
    if human.fitness <= random.fitness or _same(human, random):
        figures = f"{number(human.fitness)} against {number(random.fitness)}"
        return [
            f"The human reward is hardly better than random actions ({figures}): the budget is too"
            " small to compare rewards. Use a larger --budget or more --environment-steps."
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
    unbeaten = [each for each in opponents if not _beats(score, each.overall)]
    if not opponents:
        return [worth]
    if not unbeaten:
        return [f"{name} beats {_listed(opponents, unit)}.", worth]
    return [f"{name} does not beat {_listed(unbeaten, unit)}.", worth]


def _listed(baselines: Sequence[Baseline], unit: str) -> str:
    return " and ".join(
        f"the {BASELINES[each.name]} ({number(each.overall.fitness)} {unit})" for each in baselines
    )


def _beats(score: Score, opponent: Evaluation) -> bool:
    return score.value > opponent.fitness and not alike(score, score_of(opponent))


def one_training(seed: int) -> str:
    """Return what the intervals of a single training mean."""
    return (
        f"One training each, with seed {seed}: the intervals are over the episodes of that one"
        " training, and other seeds may give other results."
    )


def _same(a: Evaluation, b: Evaluation) -> bool:
    return alike(score_of(a), score_of(b))

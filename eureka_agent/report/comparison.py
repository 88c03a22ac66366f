"""A reward file against the baselines, and sentences on how meaningful a comparison is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eureka_agent.records import Baseline, Evaluation
from eureka_agent.report.formatting import number
from eureka_agent.search.selection import score_of
from eureka_agent.search.statistics import alike
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
    known = {baseline.name: baseline.evaluation for baseline in baselines}
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


def one_training(seed: int) -> str:
    """Return what the intervals of a single training mean."""
    return (
        f"One training each, with seed {seed}: the intervals are over the episodes of that one"
        " training, and other seeds may give other results."
    )


def _same(a: Evaluation, b: Evaluation) -> bool:
    return alike(score_of(a), score_of(b))

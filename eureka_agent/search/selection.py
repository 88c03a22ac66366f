"""Choose the outcome that the next generation builds on.

All functions are elitist: a worse outcome never replaces the best, and a failure (fitness -inf) is
never a parent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from eureka_agent.records import Evaluation, Feedback, Outcome
from eureka_agent.search.statistics import Score


def greedy(outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return the outcome with the highest fitness (Eureka, algorithm 1).

    Of equals, the earliest; None if all failed.
    """
    best = max(outcomes, key=lambda outcome: outcome.fitness, default=None)
    return best if best is not None and best.fitness > -math.inf else None


def best_so_far(
    history: Sequence[Outcome], feedback: Mapping[int, Feedback], *, has_fitness: bool
) -> Outcome | None:
    """Return the best outcome so far, on which the search builds next.

    After each generation that is the first of its ranking. Without a ranking it is the fittest of
    the generation and the previous best; without a fitness, too, it is the previous best, at first
    the initial reward. With no ranking at all this is `greedy`.

    Args:
        history: All outcomes of the search, or of a part of it such as an island.
        feedback: The feedback by generation.
        has_fitness: Whether fitness measures the instruction.

    Returns:
        The best outcome, or None if nothing was trained or chosen yet.
    """
    best = next((outcome for outcome in history if outcome.candidate.is_initial), None)
    for generation in sorted({outcome.candidate.generation for outcome in history}):
        members = [outcome for outcome in history if outcome.candidate.generation == generation]
        ranking = feedback[generation].ranking if generation in feedback else ()
        ranked = [outcome for name in ranking if (outcome := named(history, name))]
        if ranked and (ranked[0].candidate.name == ranking[0] or best in ranked):
            best = ranked[0]
        elif ranked:
            best = _best_of_island(
                ranked, best, members, worst=ranking[-1], has_fitness=has_fitness
            )
        elif has_fitness:
            best = greedy([best, *members] if best else members)
    return best


def _best_of_island(
    ranked: Sequence[Outcome],
    best: Outcome | None,
    members: Sequence[Outcome],
    *,
    worst: str,
    has_fitness: bool,
) -> Outcome | None:
    """Return the best of an island that the ranking covers only in part.

    The ranking's first is on another island. The ranked candidates of this island were not compared
    with the island's own best. Choose by fitness among that best, the top-ranked candidate and the
    unranked ones; without a fitness keep the previous best. Use the ranking's last candidate only
    if there is no other.
    """
    preferred = [ranked[0]] if ranked[0].candidate.name != worst else []
    choices = [*([best] if best else []), *preferred]
    if has_fitness:
        unranked = [outcome for outcome in members if outcome not in ranked]
        return greedy([*choices, *unranked]) or ranked[0]
    return next(iter(choices), ranked[0])


def named(history: Sequence[Outcome], name: str) -> Outcome | None:
    """Return the outcome of the candidate called `name`, or None."""
    return next((outcome for outcome in history if outcome.candidate.name == name), None)


def score_of(evaluation: Evaluation) -> Score:
    """Return an evaluation's fitness with its 95 % interval."""
    return Score(evaluation.fitness, evaluation.fitness_low, evaluation.fitness_high)

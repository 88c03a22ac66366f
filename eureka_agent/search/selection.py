"""Which outcomes the next generation builds on: small functions from what happened to parents.

All of them are elitist: what is worse never replaces the best, and a failure (fitness -inf) is
never a parent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from eureka_agent.records import Evaluation, Feedback, Outcome
from eureka_agent.search.statistics import Score


def greedy(outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return the outcome with the highest fitness, the earliest of equals (Eureka, algorithm 1);
    None if all failed."""
    best = max(outcomes, key=lambda outcome: outcome.fitness, default=None)
    return best if best is not None and best.fitness > -math.inf else None


def best_so_far(
    history: Sequence[Outcome], feedback: Mapping[int, Feedback], *, has_fitness: bool
) -> Outcome | None:
    """Return what the search goes on from: after each generation the first of its ranking, or what
    fitness says.

    Without a ranking the fittest of the generation and of the best before it is taken; without a
    fitness the best before it stays, at first what was given to start from. `history` may be that
    of a part of the search, an island's: see `_of_part`. `feedback`: by generation. With no ranking
    at all this is `greedy`.
    """
    best = next((outcome for outcome in history if outcome.candidate.is_initial), None)
    for generation in sorted({outcome.candidate.generation for outcome in history}):
        said = feedback.get(generation)
        members = [outcome for outcome in history if outcome.candidate.generation == generation]
        ranking = said.ranking if said else ()
        ranked = [outcome for name in ranking if (outcome := named(history, name))]
        if ranked and (ranked[0].candidate.name == ranking[0] or best in ranked):
            best = ranked[0]
        elif ranked:
            best = _of_part(ranked, best, members, worst=ranking[-1], has_fitness=has_fitness)
        elif has_fitness:
            best = greedy([best, *members] if best else members)
    return best


def _of_part(
    ranked: Sequence[Outcome],
    best: Outcome | None,
    members: Sequence[Outcome],
    *,
    worst: str,
    has_fitness: bool,
) -> Outcome | None:
    """Return what a part of the search goes on from where the ranking's first lies in another and
    its own best in none.

    Who was ranked there was called better than others, but not than that best: fitness decides
    among them and those that nobody ranked; where there is none, the best before stays. The worst
    is taken where there is nothing else.
    """
    liked = [ranked[0]] if ranked[0].candidate.name != worst else []
    rivals = [*([best] if best else []), *liked]
    if has_fitness:
        return (
            greedy([*rivals, *(outcome for outcome in members if outcome not in ranked)])
            or ranked[0]
        )
    return next(iter(rivals), ranked[0])


def named(history: Sequence[Outcome], name: str) -> Outcome | None:
    """Return the outcome of the candidate that is called `name`."""
    return next((outcome for outcome in history if outcome.candidate.name == name), None)


def score_of(evaluation: Evaluation) -> Score:
    """Return an evaluation's fitness with its interval."""
    return Score(evaluation.fitness, evaluation.fitness_low, evaluation.fitness_high)

"""Choose the outcome that the next generation builds on.

All functions are elitist: a worse outcome never replaces the best, and a failure is
never a parent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

from eureka_agent.records import Evaluation, Feedback, Outcome
from eureka_agent.search.statistics import Score


def greedy(outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return the outcome with the highest mean fitness (Eureka, algorithm 1: highest fitness).

    Only outcomes with the most training seeds are compared, which share their seeds: as in SMAC
    (Hutter et al. 2011), a candidate with fewer trainings never replaces one with more. Choosing by
    the shrunken estimate instead finds worse rewards (docs/search.md).

    Args:
        outcomes: The outcomes to choose from.

    Returns:
        The best; of equals, the earliest; None if all failed.
    """
    most = max((len(outcome.fitness_by_seed) for outcome in outcomes), default=0)
    trained = [o for o in outcomes if o.fitness_by_seed and len(o.fitness_by_seed) == most]
    return max(trained, key=lambda outcome: mean(outcome.fitness_by_seed), default=None)


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

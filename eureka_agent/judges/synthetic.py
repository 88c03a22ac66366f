"""A stand-in for a person that ranks by the task's fitness."""

from __future__ import annotations

import math

from eureka_agent.records import Feedback
from eureka_agent.search.feedback import FeedbackRequest


def by_fitness(request: FeedbackRequest) -> Feedback:
    """Rank every trained candidate by the task's fitness, without comments.

    This is `--feedback synthetic`. With an instruction of the user's own (`--env`) the model never
    sees the fitness, only the order: ICPL's measurement with a proxy for the person. With the
    task's own instruction the parents are those of the search without feedback.

    Args:
        request: the generation to judge.

    Returns:
        The ranking, best first; equal candidates in their order, as in `greedy`.
    """
    known = [outcome for outcome in request.trained if outcome.fitness > -math.inf]
    ranked = sorted(known, key=lambda outcome: -outcome.fitness)
    return Feedback(request.generation, tuple(outcome.candidate.name for outcome in ranked))

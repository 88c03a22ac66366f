"""A stand-in for a person: it ranks by the fitness of the task."""

from __future__ import annotations

import math

from eureka_agent.records import Feedback
from eureka_agent.search.feedback import FeedbackRequest


def by_fitness(request: FeedbackRequest) -> Feedback:
    """Stand in for a person who ranks everything by the task's fitness (`--feedback synthetic`);
    say no words.

    On a wish of its own (`--env`) the model never sees the fitness, only the order: ICPL's
    measurement with a proxy for the person. On the task's wish the parents are those of the search
    without feedback.
    """
    known = [outcome for outcome in request.trained if outcome.fitness > -math.inf]
    ranked = sorted(
        known, key=lambda outcome: -outcome.fitness
    )  # stable: the earliest of equals first, as `greedy`
    return Feedback(request.generation, tuple(outcome.candidate.name for outcome in ranked))

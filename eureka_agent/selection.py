"""Which outcomes the next generation builds on: small functions from history to parents.

All of them are elitist: a worse generation never replaces the best parent, and a failure (fitness -inf) is never
a parent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from eureka_agent.records import Outcome


class Judge(Protocol):
    """A person, or whatever stands for one, who says which outcome of a generation is the best."""

    def choose(self, outcomes: Sequence[Outcome], best_so_far: Outcome | None) -> str | None:
        """Return the name of the best candidate of all shown (`g1c3`), or None to keep the best so far."""
        ...


def greedy(history: Sequence[Outcome]) -> Outcome | None:
    """Return the outcome with the highest fitness, the earliest of equals (Eureka, algorithm 1); None if all failed."""
    best = max(history, key=lambda outcome: outcome.fitness, default=None)
    return best if best is not None and best.fitness > -math.inf else None


def preferred(history: Sequence[Outcome], choices: Mapping[int, str]) -> Outcome | None:
    """Return the outcome that a person chose last; None if nothing was chosen."""
    if not choices:
        return None
    name = choices[max(choices)]
    return next((outcome for outcome in history if outcome.candidate.name == name), None)

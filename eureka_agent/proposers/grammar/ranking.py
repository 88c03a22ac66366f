"""How much each candidate was liked by whoever judged it."""

from __future__ import annotations

from collections.abc import Sequence

from eureka_agent.records import Feedback, Outcome


def preference_scores(history: Sequence[Outcome], feedback: Sequence[Feedback]) -> dict[str, float]:
    """Return by name how much each trained candidate was liked, from 0 (the worst) over 0.5
    (unknown) to 1 (the best).

    A ranking of n names gives its i-th the value 1 - i / (n - 1), and 0.5 to those beside them that
    it does not name: the others of its generation and the best before it. The latest ranking
    counts. `feedback`: oldest first.
    """
    liked = {outcome.candidate.name: 0.5 for outcome in history if outcome.evaluation}
    best: str | None = None
    for said in feedback:
        if not said.ranking:
            continue
        beside = {
            o.candidate.name for o in history if o.candidate.generation == said.generation
        } | {best}
        liked |= {name: 0.5 for name in liked if name in beside}
        steps = max(1, len(said.ranking) - 1)
        liked |= {name: 1.0 - i / steps for i, name in enumerate(said.ranking)}
        best = said.ranking[0]
    return liked

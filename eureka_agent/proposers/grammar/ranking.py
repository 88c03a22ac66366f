"""Preference scores of candidates from a judge's rankings."""

from __future__ import annotations

from collections.abc import Sequence

from eureka_agent.records import Feedback, Outcome


def preference_scores(history: Sequence[Outcome], feedback: Sequence[Feedback]) -> dict[str, float]:
    """Return each trained candidate's score by name: 0 (worst), 0.5 (unknown) to 1 (best).

    A ranking of n names gives its i-th the score 1 - i / (n - 1), and 0.5 to candidates it could
    have named but did not: the others of its generation and the previous best. The latest ranking
    counts. `feedback`: oldest first.
    """
    scores = {outcome.candidate.name: 0.5 for outcome in history if outcome.evaluation}
    best: str | None = None
    for each in feedback:
        if not each.ranking:
            continue
        compared = {
            o.candidate.name for o in history if o.candidate.generation == each.generation
        } | {best}
        scores |= {name: 0.5 for name in scores if name in compared}
        steps = max(1, len(each.ranking) - 1)
        scores |= {name: 1.0 - i / steps for i, name in enumerate(each.ranking)}
        best = each.ranking[0]
    return scores

"""What judges that score have in common: the policies to roll out, and the ranking by scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eureka_agent.errors import StoreError
from eureka_agent.records import Feedback, JudgeScore
from eureka_agent.search.feedback import FeedbackRequest
from eureka_agent.training.policy import Policy

_JUDGE_SEED = 1_000_003
"""Added to the run's seed, so that a judge sees other episodes than training and evaluation."""
_PER_GENERATION = 1_009


def episodes_seed(seed: int, generation: int) -> int:
    """Return the seed of the episodes that a judge sees of a generation; all policies share it."""
    return seed + _JUDGE_SEED + _PER_GENERATION * generation


def distinct_policies(request: FeedbackRequest) -> dict[bytes, list[str]]:
    """Return the candidates that can be ranked by their policy, the earlier best first.

    Duplicates share a policy, which is rolled out and scored once.
    """
    names: dict[bytes, list[str]] = {}
    for outcome in request.trained:
        name = outcome.candidate.name
        if name in request.policies:
            names.setdefault(request.policies[name], []).append(name)
    return names


def loaded(policies: Sequence[bytes]) -> list[Policy]:
    """Return stored policies. Raises StoreError if one is damaged."""
    try:
        return [Policy.from_bytes(data) for data in policies]
    except ValueError as error:
        raise StoreError(f"The run holds a damaged policy: {error}.") from error


def mean_score(values: Sequence[float], basis: str) -> JudgeScore:
    """Return the score that several single scores in [0, 1] give."""
    mean = sum(values) / len(values)
    return JudgeScore(min(1.0, max(0.0, mean)), max(values) - min(values), basis)


def by_score(request: FeedbackRequest, scores: Mapping[str, JudgeScore]) -> Feedback:
    """Return the feedback that follows from scores.

    The highest score comes first; of equals the earlier candidate, so that the best so far is only
    replaced by a better one. If the best so far has no score, nothing is ranked, and it stays.

    Args:
        request: The generation that was judged.
        scores: By candidate name; candidates without a score are not ranked.
    """
    names = [o.candidate.name for o in request.trained if o.candidate.name in scores]
    ranking = sorted(names, key=lambda name: -scores[name].value)
    best = request.best
    if best is not None and best.candidate.name not in scores:
        ranking = []
    if ranking and scores[ranking[0]].value == scores[ranking[-1]].value:
        ranking = ranking[:1]  # none of them is the worst
    return Feedback(request.generation, tuple(ranking), scores=scores)

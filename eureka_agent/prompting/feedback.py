"""What a prompt says of a judge's comments and rankings: the values of `prompts/feedback.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eureka_agent.records import Feedback, JudgeScore, Outcome


@dataclass(frozen=True)
class _Remark:
    """The comments on one candidate, as the prompt shows them."""

    outcome: Outcome
    words: Sequence[str]
    role: str = ""
    with_code: bool = True
    with_numbers: bool = False


@dataclass(frozen=True)
class _Choice:
    """One ranking, as the prompt shows it."""

    generation: int
    ranked: Sequence[Outcome]
    others: Sequence[str]


@dataclass(frozen=True)
class _Score:
    """One candidate's score."""

    name: str
    score: JudgeScore


@dataclass(frozen=True)
class _ScoredGeneration:
    """The scores of one generation, as the prompt shows them, the highest first."""

    generation: int
    scores: Sequence[_Score]


def feedback_values(
    parents: Sequence[Outcome], history: Sequence[Outcome], feedback: Sequence[Feedback]
) -> dict[str, object]:
    """Return the values of `feedback.md`: scores; comments on parents, the worst, the others; the
    past.

    Args:
        parents: The parents that the prompt shows, best first.
        history: All outcomes that the feedback may be about.
        feedback: The judge's feedback so far, oldest first.
    """
    outcomes = {outcome.candidate.name: outcome for outcome in (*history, *parents)}
    words = {name: _words_on(name, feedback) for name in outcomes}
    best = [outcome.candidate.name for outcome in parents]
    last = feedback[-1] if feedback else Feedback(0)
    worst = [last.worst] if last.worst and last.worst not in best[:1] else []
    others = [name for name in last.words if name not in (*best, *worst)]
    remarks = [
        _Remark(outcomes[name], words[name], "shown above", with_code=False)
        for name in best
        if words[name] and name not in worst
    ]
    remarks += [
        _Remark(
            outcomes[name],
            words[name],
            "scored lowest this time" if last.scores else "liked least this time",
            with_code=name not in best,
            with_numbers=name not in best,
        )
        for name in worst
    ]
    remarks += [_Remark(outcomes[name], words[name]) for name in others]
    now = {remark.outcome.candidate.name for remark in remarks}
    return {
        "remarks": remarks,
        "choices": [
            _choice(each, outcomes) for each in feedback if each.ranking and not each.scores
        ],
        "scored": [_scored(each) for each in feedback if each.scores],
        "earlier": [
            _Remark(outcomes[name], words[name])
            for name in outcomes
            if words[name] and name not in now
        ],
    }


def _words_on(name: str, feedback: Sequence[Feedback]) -> list[str]:
    """Return the comments on a candidate, oldest first."""
    return [each.words[name] for each in feedback if name in each.words]


def _scored(feedback: Feedback) -> _ScoredGeneration:
    """Return a generation's scores, the highest first."""
    ranked = sorted(feedback.scores.items(), key=lambda item: -item[1].value)
    return _ScoredGeneration(feedback.generation, [_Score(*item) for item in ranked])


def _choice(feedback: Feedback, outcomes: Mapping[str, Outcome]) -> _Choice:
    """Return a ranking with its outcomes, and the trained candidates that it does not name."""
    others = [
        name
        for name, outcome in outcomes.items()
        if outcome.evaluation
        and outcome.candidate.generation == feedback.generation
        and name not in feedback.ranking
    ]
    return _Choice(feedback.generation, [outcomes[name] for name in feedback.ranking], others)

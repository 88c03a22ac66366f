"""The ranking that follows from scores."""

from __future__ import annotations

import pytest

from eureka_agent.errors import StoreError
from eureka_agent.judges.scoring import by_score, distinct_policies, loaded, mean_score
from eureka_agent.records import JudgeScore, Outcome
from eureka_agent.search.feedback import FeedbackRequest
from tests.support.prompts import worked
from tests.support.toy_task import ToyTask

BEST = worked(0, 1)
NEW = (worked(1, 0), worked(1, 1), worked(1, 2))


def request(
    best: Outcome | None = BEST, policies: dict[str, bytes] | None = None
) -> FeedbackRequest:
    return FeedbackRequest(ToyTask(), "wave", False, 1, NEW, best, policies=policies or {})


def scored(**values: float) -> dict[str, JudgeScore]:
    return {name: JudgeScore(value, 0.0, "") for name, value in values.items()}


def test_highest_score_comes_first() -> None:
    feedback = by_score(request(), scored(g0c1=0.5, g1c0=0.2, g1c1=0.9, g1c2=0.4))
    assert feedback.ranking == ("g1c1", "g0c1", "g1c2", "g1c0")
    assert feedback.scores["g1c1"].value == 0.9


def test_best_so_far_is_not_replaced_by_an_equal_one() -> None:
    feedback = by_score(request(), scored(g0c1=0.5, g1c0=0.5, g1c1=0.1))
    assert feedback.ranking[0] == "g0c1"


def test_equal_scores_name_no_worst() -> None:
    feedback = by_score(request(), scored(g0c1=0.5, g1c0=0.5))
    assert feedback.ranking == ("g0c1",)
    assert feedback.worst is None


def test_candidates_without_a_score_are_not_ranked() -> None:
    assert by_score(request(), scored(g0c1=0.5, g1c1=0.7)).ranking == ("g1c1", "g0c1")


def test_best_so_far_without_a_score_stays() -> None:
    assert by_score(request(), scored(g1c0=0.9, g1c1=0.7)).ranking == ()
    assert by_score(request(best=None), scored(g1c0=0.9, g1c1=0.7)).ranking == ("g1c0", "g1c1")


def test_mean_counts_and_the_range_is_the_spread() -> None:
    score = mean_score([0.2, 0.6], "two")
    assert score.value == pytest.approx(0.4)
    assert score.spread == pytest.approx(0.4)


def test_candidates_with_the_same_policy_are_scored_once() -> None:
    same = {"g0c1": b"a", "g1c0": b"b", "g1c2": b"a"}
    assert distinct_policies(request(policies=same)) == {b"a": ["g0c1", "g1c2"], b"b": ["g1c0"]}


def test_damaged_policy_is_the_stores_fault() -> None:
    with pytest.raises(StoreError, match="damaged policy"):
        loaded([b"nonsense"])

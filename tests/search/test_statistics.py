"""Scores over training seeds, computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eureka_agent.search.statistics import Score, alike, human_normalised, interquartile_mean


def test_the_interquartile_mean_by_hand() -> None:
    """Five scores: floor(5 / 4) = 1 is cut at either end, (2 + 3 + 4) / 3. Eight scores of two
    tasks: two at either end."""
    assert interquartile_mean([[1.0, 2.0, 3.0, 4.0, 1000.0]]).value == 3.0
    assert (
        interquartile_mean([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, -9.0]]).value
        == (2.0 + 3.0 + 4.0 + 5.0) / 4
    )


def test_the_interval_is_the_percentile_bootstrap() -> None:
    """Two seeds, 0 and 1: resamples are 0, 1/2, 1/2, 1 with equal probability, so the 95 % interval
    is 0 to 1."""
    score = interquartile_mean([[0.0, 1.0]])
    assert (score.value, score.low, score.high) == (0.5, 0.0, 1.0)
    same = interquartile_mean([[2.0] * 5])
    assert (same.low, same.high) == (2.0, 2.0)


def test_seeds_are_drawn_within_their_task() -> None:
    """Two tasks of two equal seeds each: every resample has two 0 and two 10, cut one each: always
    (0 + 10) / 2."""
    score = interquartile_mean([[0.0, 0.0], [10.0, 10.0]])
    assert (score.low, score.high) == (5.0, 5.0)


@pytest.mark.parametrize("scores", [[[3.0]], [[3.0], [1.0, 5.0]], [[1.0, 3.0, 3.0, math.inf]]])
def test_unknown_spread_gives_an_infinite_interval(scores: list[list[float]]) -> None:
    score = interquartile_mean(scores)
    assert (score.value, score.low, score.high) == (3.0, -math.inf, math.inf)


def test_no_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one score"):
        interquartile_mean([[]])


def test_the_interval_has_its_nominal_coverage() -> None:
    """With 100 samples of 20 from a normal distribution, about 95 % of the intervals contain its
    mean (bootstrap: 92 %)."""
    draw = np.random.default_rng(1)
    scores = [interquartile_mean([draw.normal(size=20).tolist()]) for _ in range(100)]
    assert 0.88 <= sum(s.low <= 0.0 <= s.high for s in scores) / 100 <= 0.99


def sure(value: float) -> Score:
    return Score(value, value, value)


def test_human_normalised_by_hand() -> None:
    assert human_normalised(3.0, human=sure(2.0), sparse=sure(1.0)) == 2.0
    assert (
        human_normalised(0.0, human=sure(1.0), sparse=sure(2.0)) == -2.0
    )  # a sparse reward better than the human's
    assert human_normalised(1.0, human=sure(2.0), sparse=sure(2.0)) is None


@pytest.mark.parametrize(
    ("human", "sparse"),
    [
        (
            Score(500.0, 500.0, 500.0),
            Score(499.5, 499.5, 499.5),
        ),  # 0.1 % apart: the score would be in the hundreds
        (Score(2.0, 1.5, 2.5), Score(1.7, 1.2, 2.2)),  # 0.3 apart, +- 0.7
        (Score(0.0, 0.0, 0.0), Score(0.0, 0.0, 0.0)),
    ],
)
def test_no_score_where_human_and_sparse_reward_are_alike(human: Score, sparse: Score) -> None:
    assert alike(human, sparse)
    assert human_normalised(11.0, human, sparse) is None


def test_results_apart_are_not_alike() -> None:
    assert not alike(Score(2.0, 1.8, 2.2), Score(1.7, 1.5, 1.9))  # 0.3 apart, +- 0.28
    assert not alike(
        Score(1.0, -math.inf, math.inf), Score(2.0, -math.inf, math.inf)
    )  # the spread is unknown

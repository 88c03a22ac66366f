"""Comparisons of two candidates: what is asked next, and the ranking."""

from __future__ import annotations

import itertools

import pytest

from eureka_agent.runs.drafts import Pair, Preference
from eureka_agent.server.pairs import Comparisons, comparisons


def answered(worth: dict[str, int]) -> tuple[Comparisons, int]:
    """Answer every question as `worth` says; return the result and the number of answers."""
    pairs: list[Pair] = []
    while (pair := comparisons(list(worth), pairs).next_pair) is not None:
        left, right = worth[pair[0]], worth[pair[1]]
        preference: Preference = "left" if left > right else "right"
        pairs.append(Pair(*pair, "equal" if left == right else preference))
    return comparisons(list(worth), pairs), len(pairs)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_answers_give_the_order_that_they_follow(order: tuple[int, ...]) -> None:
    worth = {f"g0c{index}": value for index, value in enumerate(order)}
    result, asked = answered(worth)
    assert list(result.order) == sorted(worth, key=lambda name: -worth[name])
    assert result.answered == asked <= result.at_most == 5


def test_sixteen_candidates_take_at_most_49_answers() -> None:
    for seed in range(20):
        worth = {f"c{index}": (index * 7 + seed) % 16 for index in range(16)}
        result, asked = answered(worth)
        assert list(result.order) == sorted(worth, key=lambda name: -worth[name])
        assert asked <= result.at_most == 49


def test_equal_candidates_share_a_place() -> None:
    result, _ = answered({"a": 1, "b": 2, "c": 1, "d": 2})
    assert result.ranking == (("b", "d"), ("a", "c"))
    assert result.order == ("b", "d", "a", "c")


def test_a_ranking_in_which_all_are_equal_prefers_none() -> None:
    result, _ = answered({"a": 1, "b": 1, "c": 1})
    assert result.order == ()


def test_a_later_answer_about_the_same_two_counts() -> None:
    pairs = [Pair("a", "b", "left"), Pair("b", "a", "left")]
    assert comparisons(["a", "b"], pairs).order == ("b", "a")


def test_answers_about_unknown_candidates_change_nothing() -> None:
    assert comparisons(["a", "b"], [Pair("x", "y", "left")]) == comparisons(["a", "b"], [])


@pytest.mark.parametrize("names", [[], ["a"]])
def test_fewer_than_two_candidates_are_not_compared(names: list[str]) -> None:
    result = comparisons(names, [])
    assert result.next_pair is None
    assert result.order == ()

from __future__ import annotations

import math

import pytest

from eureka_agent.report.cost import Cost
from eureka_agent.report.formatting import (
    approximate,
    duration,
    fitness,
    fitness_line,
    interval,
    one_line,
    quantity,
    summarise,
)
from tests.support.run_events import completion, evaluation


def test_fitness_comes_with_its_interval_in_the_same_decimals() -> None:
    assert fitness(evaluation(99.5, half=1.5)) == "99.5 (98.0 to 101.0)"


def test_one_episode_has_no_interval_and_nan_is_shown() -> None:
    assert interval(evaluation(3.0, half=math.inf)) == "unknown"
    assert fitness(evaluation(math.nan)) == "NaN (unknown)"


def test_only_a_known_solved_value_is_named() -> None:
    assert fitness_line("m/s", 2.0) == "m/s; 2 counts as solved"
    assert fitness_line("return", math.nan) == "return"


def test_without_a_fitness_the_episode_length_is_shown() -> None:
    assert summarise(evaluation(3.0, turns=0.5), None) == "episodes of 250 steps, turns 0.500"
    assert summarise(evaluation(3.0), "m") == "fitness 3.00 (2.50 to 3.50) m over 64 episodes"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0"),
        (9_500, "9,500"),
        (9_999.6, "10 k"),
        (930_000, "930 k"),
        (999_600, "1 M"),
        (1.5e6, "1.5 M"),
        (2e9, "2 G"),
    ],
)
def test_large_counts_are_short(count: float, words: str) -> None:
    assert quantity(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2, "a few seconds"),
        (52, "about 50 s"),
        (750, "about 12 min"),
        (3599, "about 1 h 00 min"),
        (7700, "about 2 h 10 min"),
    ],
)
def test_estimates_are_rounded(seconds: float, words: str) -> None:
    assert approximate(seconds) == words


def test_foreign_text_becomes_one_harmless_line() -> None:
    assert one_line("a\n  b\x1b[31m\x07\tc\u202e") == "a b\\x1b[31m\\x07 c\\u202e"


def test_only_models_cost_money_and_an_unknown_price_is_never_zero() -> None:
    free = [completion(0, 0.0), completion(1, None, "scripted")]
    unknown = completion(2, None, "gpt-5")
    known = [completion(3, 0.05, "gpt-5"), completion(4, 0.0725, "gpt-5")]
    assert str(Cost.of(free)) == ""
    assert Cost.of(free).known == 0.0
    assert str(Cost.of([*free, unknown])) == "price unknown"
    assert Cost.of([unknown]).known is None
    assert str(Cost.of(known)) == "$0.12"
    assert str(Cost.of([*known, unknown])) == "$0.12 and 1 answer of unknown price"
    assert str(Cost.of([completion(0, 0.0004, "gpt-5")])) == "$0.0004"

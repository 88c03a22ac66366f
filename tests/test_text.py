from __future__ import annotations

import math
from typing import get_args

import pytest

from eureka_agent.records import Stage
from eureka_agent.text import STAGE_WORDS, decimals_for, number, number_in_prompt, one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n  b", "a b"),
        ("12345", "12345"),
        ("123456", "1234…"),
        ("1 2\n3 4", "1 2 …"),
        ("ab\x07", "ab\\x…"),  # an escape counts with its length
    ],
)
def test_one_line_has_at_most_the_given_length(text: str, line: str) -> None:
    assert one_line(text, 5) == line


def test_one_line_without_a_limit_keeps_everything() -> None:
    assert one_line("x" * 5000) == "x" * 5000


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0.00"),
        (12.345, "12.35"),
        (-499.96, "-500.0"),
        (1234.5, "1,234"),
        (0.1234, "0.123"),
        (0.00002, "2.00e-05"),
        (3e12, "3.00e+12"),
        (math.nan, "NaN"),
        (-math.inf, "-inf"),
    ],
)
def test_a_number_has_about_four_digits(value: float, words: str) -> None:
    assert number(value) == words


def test_a_column_shares_the_decimals_of_its_largest_number() -> None:
    values = [0.5, 250.0, math.nan, -math.inf]
    assert [number(value, decimals_for(values)) for value in values] == [
        "0.5",
        "250.0",
        "NaN",
        "-inf",
    ]


def test_number_in_a_prompt_can_be_written_in_code() -> None:
    assert [number_in_prompt(value) for value in (0.00123456, 12345.0, -2.0)] == [
        "0.001235",
        "1.234e+04",
        "-2",
    ]


def test_each_stage_has_words() -> None:
    assert set(STAGE_WORDS) == set(get_args(Stage))

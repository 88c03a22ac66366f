from __future__ import annotations

import pytest

from eureka_agent.text import one_line


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

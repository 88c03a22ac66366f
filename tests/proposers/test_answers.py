from __future__ import annotations

import pytest

from eureka_agent.proposers.answers import without_thoughts


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("x", "x"),
        ("", ""),
        ("<think>hm</think>x", "x"),
        ("\n <think>\nhm\n</think>\n\nx\n", "x\n"),
        ("hm\n</think>\nx", "x"),  # the template wrote the opening tag
        ("<think>hm, and then the limit", ""),
        ("<think></think>", ""),
        ("# uses <think> and </think> as words\nx", "# uses <think> and </think> as words\nx"),
    ],
)
def test_thoughts_are_left_out(text: str, answer: str) -> None:
    assert without_thoughts(text) == answer

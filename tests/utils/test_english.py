from __future__ import annotations

import pytest

from eureka_agent.utils.english import stem


@pytest.mark.parametrize(
    ("words", "shared"),
    [
        ("spin spins spinner spinning", "spin"),
        ("balance balances balancing balanced", "balanc"),
        ("rotation rotations rotate rotating", "rotat"),
        ("fall falling falls", "fall"),  # a doubled l belongs to the word
        ("run", "run"),
        ("red", "red"),  # too short to have an ending
    ],
)
def test_forms_of_a_word_share_a_stem(words: str, shared: str) -> None:
    assert {stem(word) for word in words.split()} == {shared}

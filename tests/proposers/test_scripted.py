from __future__ import annotations

import pytest

from eureka_agent.errors import ProposerError
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Prompt


def test_lists_are_read_by_generation_and_index() -> None:
    proposer = ScriptedProposer([["a", "b"], ["c"]])
    assert [(c.index, c.text) for c in proposer.propose(dict.fromkeys([1, 0], Prompt(0, ())))] == [
        (1, "b"),
        (0, "a"),
    ]
    assert [c.text for c in proposer.propose(dict.fromkeys([0], Prompt(1, ())))] == ["c"]
    assert proposer.asked == [(0, 1), (0, 0), (1, 0)]
    assert [prompt.generation for prompt in proposer.prompts] == [0, 1]


def test_a_function_sees_the_prompt() -> None:
    proposer = ScriptedProposer(lambda prompt, index: f"{prompt.generation}-{index}")
    assert [c.text for c in proposer.propose(dict.fromkeys([2], Prompt(4, ())))] == ["4-2"]


def test_a_missing_text_is_an_error_after_the_earlier_ones() -> None:
    answers = ScriptedProposer([["a"]]).propose(dict.fromkeys(range(2), Prompt(0, ())))
    assert next(answers).text == "a"
    with pytest.raises(ProposerError, match="no text for sample 1 of generation 0"):
        next(answers)

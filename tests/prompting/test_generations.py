"""Whole prompts of a first, a second and a fourth generation, and how long they are.

`UPDATE_SNAPSHOTS=1 pytest tests/prompting` accepts an intended change; read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_agent.records import Prompt
from eureka_agent.tasks.registry import load_task
from tests.support.fixed_run import fixed_prompts
from tests.support.snapshots import matches_snapshot

_SNAPSHOTS = Path(__file__).with_name("snapshots")
_MOST_TOKENS = 8_000
# Fewer than the tokenizers of GPT-4o and Claude 3 take: 3.3 in these prompts, 2.9 with a table.
_CHARACTERS_PER_TOKEN, _WITH_TABLES = 3.2, 2.5
_BEHAVIOUR = 3_600
"""Characters that the best parent's behaviour may take besides what the made-up records hold."""
_GENERATIONS = {"first": 0, "second": 1, "fourth": 3}


def text_of(prompt: Prompt) -> str:
    return "\n\n".join(f"[{message.role}]\n\n{message.content}" for message in prompt.messages)


@pytest.mark.parametrize("name", _GENERATIONS)
@pytest.mark.parametrize("task", ["hopper_forward", "pen_spinning"])
def test_prompt_of_a_generation_is_as_recorded(task: str, name: str) -> None:
    prompt = fixed_prompts(load_task(task), _GENERATIONS[name])[0]
    matches_snapshot(f"{task}_{name}", text_of(prompt), _SNAPSHOTS)


@pytest.mark.parametrize("generation", _GENERATIONS.values())
def test_every_prompt_of_pen_spinning_is_under_8000_tokens(generation: int) -> None:
    for prompt in fixed_prompts(load_task("pen_spinning"), generation):
        characters = len(text_of(prompt))
        if prompt.parents:
            tokens = characters / _CHARACTERS_PER_TOKEN + _BEHAVIOUR / _WITH_TABLES
        else:  # with the sizes of the state variables
            tokens = characters / _WITH_TABLES
        assert tokens < _MOST_TOKENS

"""The loop against a real HTTP server that speaks chat completions, and misbehaves once."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

import eureka_agent as ea
from eureka_agent.errors import AuthenticationError
from eureka_agent.events import Event, RunStarted
from eureka_agent.jail import Wall
from tests.support.openai_server import ChatServer, Reply, completion, error
from tests.support.rewards import TRACEBACK, upright

USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


def code(weight: float) -> str:
    """Return only the source of a reward that works."""
    return upright(weight).split("```python\n")[1].split("```")[0]


def test_two_generations_over_http(tmp_path: Path, chat_server: ChatServer, wall: Wall) -> None:
    """Six fences of the usual forms, one error that is retried, one traceback that the next generation repairs."""
    forms = [
        f"Here it is:\n```python\n{code(0.1)}```\nDone.",
        f"```\n{code(0.2)}\n```",
        f"~~~py\n{code(0.3)}~~~",
        code(0.4),
        f"Cut short:\n```python\n{code(0.5)}",
        f"1. First the idea.\n\n{textwrap.indent(f'```python{chr(10)}{code(0.6)}```', '   ')}",
        f"```python\nprint('an example')\n```\nand now the function\n```Python\r\n{code(0.7)}```".replace("\n", "\r\n"),
        TRACEBACK,
    ]
    chat_server.order([error(500), *(completion(form, usage=USAGE, delay_s=0.3) for form in forms)])

    def repaired(request: dict[str, Any]) -> Reply:
        prompt = request["messages"][-1]["content"]
        assert "IndexError" in prompt, "the traceback of the candidate that failed is in the prompt"
        return completion(upright(0.01 * len(chat_server.requests)), usage=USAGE)

    chat_server.default = repaired
    events: list[Event] = []
    config = ea.SynthesisConfig(
        task="cartpole",
        budget="quick",
        model="test-model",
        base_url=chat_server.base_url,
        generations=2,
        samples=8,
        num_envs=8,
        environment_steps=512,
        baselines=False,
        runs_dir=tmp_path,
    )
    result = ea.synthesize(config, listener=events.append, wall=wall)

    assert chat_server.max_in_flight >= 7  # the one that is retried may come after the others
    assert len(chat_server.requests) == 8 + 1 + 8  # one was answered with 500 and asked again
    first, second = result.outcomes[:8], result.outcomes[8:]
    failed = [outcome for outcome in first if outcome.failure]
    assert len(failed) == 1
    assert failed[0].failure is not None
    assert "IndexError" in failed[0].failure.message
    assert "line 6" in failed[0].failure.message
    assert all(outcome.evaluation for outcome in second)
    assert all(o.candidate.completion.prompt_tokens == 100 for o in result.outcomes)
    assert all(o.candidate.completion.cost_usd is None for o in result.outcomes)  # unknown is not free
    started = next(event for event in events if isinstance(event, RunStarted))
    assert "test-model" in started.announcement
    assert chat_server.requests[0]["messages"][0]["role"] == "system"


def test_a_server_that_fails_stops_the_run_and_resume_goes_on(
    tmp_path: Path, chat_server: ChatServer, wall: Wall
) -> None:
    chat_server.order([completion(upright(0.1))])
    chat_server.default = error(401, "bad key")
    config = ea.SynthesisConfig(
        task="cartpole",
        model="test-model",
        base_url=chat_server.base_url,
        generations=1,
        samples=2,
        num_envs=8,
        environment_steps=512,
        baselines=False,
        runs_dir=tmp_path,
        run_name="run",
    )
    with pytest.raises(AuthenticationError, match="key") as refused:
        ea.synthesize(config, wall=wall)
    assert refused.value.exit_code == 2
    asked = len(chat_server.requests)
    chat_server.default = completion(upright(0.2))
    result = ea.resume(tmp_path / "run", wall=wall)
    assert len(chat_server.requests) == asked + 1
    assert all(outcome.evaluation for outcome in result.outcomes)

"""A person at a real terminal and a local model server: typed comments reach the next prompt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from eureka_agent.runs.store import Store
from tests.support.openai_server import ChatServer, Reply, completion
from tests.support.terminal import Terminal

TINY = (
    "--generations",
    "2",
    "--samples",
    "2",
    "--num-envs",
    "8",
    "--environment-steps",
    "512",
    "--no-baselines",
)
END_OF_INPUT = "\x04"


def hops(weight: float) -> str:
    """Return an answer with a reward for the hopper; `weight` makes it different from others."""
    return (
        "It should move.\n\n```python\nfrom torch import Tensor\n\n\ndef"
        " compute_reward(torso_velocity: Tensor, torso_pitch: Tensor) -> tuple[Tensor, dict[str,"
        f" Tensor]]:\n    forward = {weight} * torso_velocity[:, 0]\n    lean = -0.1 *"
        ' torso_pitch.abs()\n    return forward + lean, {"forward": forward, "lean":'
        " lean}\n```\n"
    )


@pytest.fixture
def model(chat_server: ChatServer) -> ChatServer:
    """Return a server that answers each request with another reward."""

    def answer(request: dict[str, Any]) -> Reply:
        return completion(hops(0.5 + 0.25 * len(chat_server.requests)))

    chat_server.default = answer
    return chat_server


def arguments(model: ChatServer, folder: Path, *more: str) -> list[str]:
    server = ("--model", "test-model", "--base-url", model.base_url)
    return [*more, *server, *TINY, "--runs-dir", str(folder), "--run-name", "run"]


def prompts(model: ChatServer, since: int = 0) -> list[str]:
    """Return the last message of each request from the `since`-th on."""
    return [request["messages"][-1]["content"] for request in model.requests[since:]]


def answer(terminal: Terminal, prompt: str, lines: Sequence[str]) -> None:
    """Type each line after a prompt of its own."""
    for line in lines:
        terminal.expect(prompt)
        terminal.type(line)


@pytest.mark.slow
def test_comments_and_rankings_reach_the_model(tmp_path: Path, model: ChatServer) -> None:
    args = arguments(model, tmp_path, "--task", "hopper_forward", "--feedback", "cli")
    with Terminal("synthesize_main", args) as terminal:
        shown = terminal.expect("g0> ")
        assert "Fitness in m/s" in shown
        assert "g0c0" in shown
        assert "forward" in shown
        terminal.type("code g0c1")
        assert "def compute_reward" in terminal.expect("g0> ")
        terminal.type("bset g0c1")
        assert "Did you mean 'best'?" in terminal.expect("g0> ")
        terminal.type("rank g0c1 > g0c0")
        answer(
            terminal,
            "g0> ",
            ["say g0c1 good, but {higher} <jumps>, größer", "say g0c0 it drags its foot", "next"],
        )
        terminal.expect("g1> ")
        terminal.type(END_OF_INPUT, end="")
        assert terminal.ends() == 0
    assert len(model.requests) == 4
    for prompt in prompts(model, since=2):
        assert "# The best reward function so far (g0c1)" in prompt
        assert "\ngood, but {higher} <jumps>, größer\n" in prompt
        assert "## g0c0, liked least this time" in prompt
        assert "\nit drags its foot\n" in prompt
        assert "- Generation 0: best g0c1 (forward, lean), worst g0c0 (forward, lean).\n" in prompt
    with Store.open(tmp_path / "run" / "run.db", writable=False) as store:
        assert {asked.parents for asked in store.prompts(1)} == {("g0c1", "g0c0")}
        assert set(store.feedback()) == {0, 1}
        assert store.feedback()[1].ranking == ()


@pytest.mark.slow
def test_an_instruction_without_fitness_resumes_after_ctrl_c(
    tmp_path: Path, model: ChatServer
) -> None:
    """A terminal run asks without --feedback; Ctrl-C discards the answers, a resume asks again."""
    with Terminal(
        "synthesize_main", arguments(model, tmp_path, "--env", "hopper", "--task", "do a backflip")
    ) as terminal:
        assert "do a backflip" in terminal.expect("g0> ")
        terminal.type("next")
        assert "No candidate is chosen yet" in terminal.expect("g0> ")
        terminal.type("best g0c0")
        terminal.expect("So far: best g0c0.")
        terminal.expect("g0> ")
        assert terminal.interrupt() == 130
        assert "Stopped." in terminal.text
        assert "eureka-agent resume" in terminal.text
    assert len(model.requests) == 2
    with Terminal("main", ["resume", "run", "--runs-dir", str(tmp_path)]) as terminal:
        answer(terminal, "g0> ", ["best g0c1", "say g0c1 more spin", "next"])
        answer(terminal, "g1> ", ["worst g1c0", "stop"])
        assert terminal.ends() == 0
        text = terminal.text
    assert "Chosen: g0c1" in text
    assert "fitness" not in text.casefold().replace("the instruction has no fitness of its own", "")
    assert len(model.requests) == 4
    assert all("fitness" not in prompt.casefold() for prompt in prompts(model))
    assert all("\nmore spin\n" in prompt for prompt in prompts(model, since=2))
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert summary["best"]["name"] == "g0c1"
    with Terminal("main", ["show", "run", "--runs-dir", str(tmp_path)]) as terminal:
        assert terminal.ends() == 0
        assert "Ranked, best first: g0c1 > g1c0." in terminal.text
        assert "Comment on g0c1: more spin" in terminal.text
        assert "Not finished" not in terminal.text

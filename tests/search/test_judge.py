"""The judge's contract: opened once, asked after each generation, closed; rewards that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.search.feedback import FunctionJudge, as_judge
from tests.support.rewards import upright
from tests.support.runs import StoppedError, config

SCRIPT = [[upright(0.1), upright(0.2)], [upright(0.3), upright(0.4)]]


class Editor:
    """Doubles the first reward of the first generation, and notes what happens to it."""

    needs_terminal = False

    def __init__(self) -> None:
        self.calls: list[str] = []

    def open(self) -> None:
        self.calls.append("open")

    def ask(self, request: ea.FeedbackRequest) -> ea.Feedback:
        self.calls.append(f"ask {request.generation}")
        first = request.outcomes[0].candidate
        if request.generation or first.reward is None:
            return ea.Feedback(request.generation)
        code = first.reward.code.replace("return upright", "return 2.0 * upright")
        return ea.Feedback(0, edited={first.name: code})

    def close(self) -> None:
        self.calls.append("close")


def test_judge_is_opened_asked_after_each_generation_and_closed(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    judge = Editor()
    ea.synthesize(
        config(tmp_path, samples=2), proposer=ScriptedProposer(SCRIPT), judge=judge, sandbox=sandbox
    )
    assert judge.calls == ["open", "ask 0", "ask 1", "close"]


def test_judge_is_closed_when_the_run_breaks(tmp_path: Path, sandbox: Sandbox) -> None:
    class Breaks(Editor):
        def ask(self, request: ea.FeedbackRequest) -> ea.Feedback:
            raise StoppedError

    judge = Breaks()
    with pytest.raises(StoppedError):
        ea.synthesize(
            config(tmp_path, samples=2),
            proposer=ScriptedProposer(SCRIPT),
            judge=judge,
            sandbox=sandbox,
        )
    assert judge.calls == ["open", "close"]


def test_edited_reward_is_a_candidate_of_the_next_generation(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    settings = config(tmp_path, samples=2)
    result = ea.synthesize(
        settings, proposer=ScriptedProposer(SCRIPT), judge=Editor(), sandbox=sandbox
    )
    edited = result.outcomes[-1]
    assert edited.candidate.name == f"g1c{settings.search.attempts * 2}"
    assert edited.candidate.completion.proposer == "judge"
    assert edited.candidate.reward is not None
    assert "2.0 * upright" in edited.candidate.reward.code
    assert edited.evaluation is not None
    assert len(result.outcomes) == 5


def test_edited_reward_that_fails_is_not_sent_back(tmp_path: Path, sandbox: Sandbox) -> None:
    def edit(request: ea.FeedbackRequest) -> ea.Feedback:
        code = "def compute_reward(dof_poss):\n    return dof_poss, {}\n"
        return ea.Feedback(
            request.generation, edited={"g0c0": code} if not request.generation else {}
        )

    proposer = ScriptedProposer(SCRIPT)
    result = ea.synthesize(
        config(tmp_path, samples=2, repairs=1), proposer=proposer, judge=edit, sandbox=sandbox
    )
    edited = result.outcomes[-1]
    assert edited.failure is not None
    assert edited.failure.stage == "check"
    assert proposer.asked == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_edit_of_an_unknown_candidate_is_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    def edit(request: ea.FeedbackRequest) -> ea.Feedback:
        return ea.Feedback(request.generation, edited={"g0c7": "x"})

    with pytest.raises(ea.EurekaError, match="The judge edited the reward of 'g0c7', which is not"):
        ea.synthesize(
            config(tmp_path, samples=2),
            proposer=ScriptedProposer(SCRIPT),
            judge=edit,
            sandbox=sandbox,
        )


def test_plain_function_is_a_judge_that_leaves_the_terminal_alone() -> None:
    judge = as_judge(lambda request: ea.Feedback(request.generation))
    assert isinstance(judge, FunctionJudge)
    assert not judge.needs_terminal
    assert as_judge(judge) is judge

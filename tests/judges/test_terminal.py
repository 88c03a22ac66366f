"""The lines that a person types; `test_real_terminal.py` does the same on a real terminal."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest
from rich.console import Console

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.judges import TerminalJudge, make_judge
from eureka_agent.judges.synthetic import by_fitness
from eureka_agent.judges.web import WebJudge
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Feedback, Outcome, RewardSource
from eureka_agent.search.feedback import FeedbackRequest, FunctionJudge, Judge
from tests.support import run_events as runs
from tests.support.toy_task import ToyTask

Answer: TypeAlias = Callable[..., tuple[Feedback, str]]
CODE = 'def compute_reward(mass_speed):\n    return -mass_speed, {"x": "\x1b[2J\x07"}\n'


def trained(generation: int, index: int, fitness: float) -> Outcome:
    outcome = runs.outcome(generation, runs.completion(index), runs.evaluation(fitness, turns=1.25))
    return replace(outcome, candidate=replace(outcome.candidate, reward=RewardSource(CODE, ())))


BEST = trained(0, 1, 3.0)
OUTCOMES = (
    trained(1, 0, 1.0),
    trained(1, 1, 4.0),
    trained(1, 2, 2.0),
    runs.outcome(1, runs.completion(3), runs.REFUSED),
)
QUESTION = FeedbackRequest(runs.TASK, "wave", True, 1, OUTCOMES, BEST)
FREE = replace(QUESTION, has_fitness=False)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return a function that types lines, and returns the feedback and what the terminal showed."""

    def answer(*lines: str, request: FeedbackRequest = QUESTION) -> tuple[Feedback, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        paper = io.StringIO()
        feedback = TerminalJudge(Console(file=paper, width=80, force_terminal=False)).ask(request)
        return feedback, paper.getvalue()

    return answer


@pytest.mark.parametrize(
    ("lines", "ranking"),
    [
        (["next"], ()),
        (["best g1c0", "next"], ("g1c0",)),
        (["best g1c0", "best g1c2", "next"], ("g1c2",)),
        (["best g1c0", "worst g1c1", "next"], ("g1c0", "g1c1")),
        (["best G0C1", "worst g1c1", "NEXT"], ("g0c1", "g1c1")),
        (["worst g1c0", "next"], ("g1c1", "g1c0")),  # only a worst: the fittest, 4, is the best
        (["rank g1c2 > g1c0 > g1c1", "next"], ("g1c2", "g1c0", "g1c1")),
        (["rank g1c2,g1c0 g1c1", "next"], ("g1c2", "g1c0", "g1c1")),
        (["rank g1c2>g1c0>g1c1", "worst g1c2", "next"], ("g1c0", "g1c2")),
        (["rank g1c2>g1c0>g1c1", "best g0c1", "next"], ("g0c1", "g1c0", "g1c1")),
        (["rank g1c2>g0c1>g1c0>g1c1", "worst g0c1", "next"], ("g1c2", "g1c0", "g0c1")),
        (["best g1c0"], ("g1c0",)),  # the input ends (Ctrl-D): as `next`
    ],
)
def test_lines_give_the_expected_ranking(
    answer: Answer, lines: list[str], ranking: tuple[str, ...]
) -> None:
    feedback, _ = answer(*lines)
    assert feedback == Feedback(1, ranking)


def test_comments_are_kept_verbatim(answer: Answer) -> None:
    feedback, shown = answer(
        "say g1c3 use  mass_speed > 0",
        "say g0c1 \ttoo {shaky}",
        "say g0c1 \x1b[31mand slow",
        "stop",
    )
    assert feedback == Feedback(
        1, (), {"g1c3": "use  mass_speed > 0", "g0c1": "too {shaky}\n\x1b[31mand slow"}, stop=True
    )
    assert "So far: words on g1c3, g0c1." in shown
    assert "\x1b" not in shown


def test_the_terminal_shows_outcomes_and_failures(answer: Answer) -> None:
    _, shown = answer("code g1c0", "help", "next")
    lines = shown.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert "Fitness in m; -0.1 counts as solved." in lines
    assert any(
        line.startswith("g0c1    3.00 (2.50 to 3.50)    250  the best so far; turns 1.25")
        for line in lines
    )
    assert any(line.startswith("g1c1    4.00 (3.50 to 4.50)    250  turns 1.25") for line in lines)
    assert any(
        line.startswith("g1c3 failed, not allowed: compute_reward asks for 'mass_velocity'")
        for line in lines
    )
    assert '    return -mass_speed, {"x": "\\x1b[2J\\x07"}' in [line.rstrip() for line in lines]
    assert "\x1b" not in shown
    assert any(line.startswith("say g0c3 too shaky") for line in lines)


def test_without_a_fitness_none_is_shown_and_a_best_is_required(answer: Answer) -> None:
    feedback, shown = answer(
        "next", "worst g1c0", "stop", "best g1c2", "stop", request=replace(FREE, best=None)
    )
    assert feedback == Feedback(1, ("g1c2", "g1c0"), stop=True)
    assert shown.count("No candidate is chosen yet") == 2
    assert "itness in" not in shown
    assert "4.00" not in shown
    # The best so far is kept.
    assert answer("worst g1c0", "next", request=FREE)[0].ranking == ("g0c1", "g1c0")
    with pytest.raises(UsageError, match="No candidate is chosen yet"):
        # The input ends without a best.
        answer("say g1c0 hm", request=replace(FREE, best=None))


@pytest.mark.parametrize(
    ("line", "explained"),
    [
        ("bst g1c0", "There is no command 'bst'. Did you mean 'best'?"),
        ("\x1b[2J", "There is no command '\\x1b[2J'."),
        ("best", "Which candidate? There are: g0c1, g1c0, g1c1, g1c2, g1c3."),
        ("best g1c9", "There is no candidate 'g1c9' here. Did you mean"),
        ("worst g1c3", "g1c3 failed and has no policy to compare"),
        ("rank g1c0", "rank needs two candidates or more"),
        ("rank g1c0 > g1c0", "g1c0 is in this ranking twice"),
        ("say g1c0", "say needs words: say g1c0 too shaky"),
        ("say too shaky", "There is no candidate 'too' here."),
        ("next please", "next takes nothing after it"),
        ("code g1c3", "g1c3 has no readable code"),
        ("worst g1c1\nnext", "g1c1 is the worst now; which one is the best?"),
    ],
)
def test_a_mistake_is_explained_and_the_line_asked_again(
    answer: Answer, line: str, explained: str
) -> None:
    feedback, shown = answer(line, "best g1c0", "next")
    assert explained in " ".join(shown.split())
    assert feedback.ranking[0] == "g1c0"


def made(**settings: str) -> Judge | None:
    return make_judge(SynthesisConfig.of(**settings), ToyTask(), ScriptedProposer([]))


def test_the_config_decides_the_judge() -> None:
    assert made(task="cartpole") is None
    synthetic = made(task="cartpole", feedback="synthetic")
    assert isinstance(synthetic, FunctionJudge)
    assert synthetic._function is by_fitness
    assert isinstance(made(task="cartpole", feedback="cli"), TerminalJudge)
    assert isinstance(made(task="cartpole", feedback="web"), WebJudge)
    assert isinstance(made(task="wave", env="cartpole", feedback="synthetic"), FunctionJudge)
    with pytest.raises(UsageError, match="so a judge is needed"):
        made(task="wave", env="cartpole")

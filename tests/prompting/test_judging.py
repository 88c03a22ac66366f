"""What judges ask models, and what a prompt says of their scores."""

from __future__ import annotations

import re

from eureka_agent.prompting.judging import (
    ShownEpisode,
    measure_prompt,
    measure_repair_prompt,
    score_prompt,
    score_repair_prompt,
)
from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.records import Feedback, ImageMessage, JudgeScore, Prompt
from tests.support.prompts import leaked, user, worked
from tests.support.snapshots import matches_snapshot
from tests.support.toy_task import ToyTask

TOY = ToyTask()
EPISODE = ShownEpisode(
    image=b"PNG",
    times=("0.00", "1.00"),
    length_s=2.0,
    columns=("mass_speed m/s",),
    rows=(("0.00", "0"), ("1.00", "0.51")),
)


def scored(generation: int, **values: float) -> Feedback:
    scores = {name: JudgeScore(value, 0.2, f"about {name}") for name, value in values.items()}
    ranking = sorted(values, key=lambda name: -values[name])
    return Feedback(generation, tuple(ranking), scores=scores)


def score_question() -> Prompt:
    return score_prompt(TOY, "wave", EPISODE, generation=1, asks_for="the score of g1c0")


def test_snapshot_of_the_request_for_a_measure() -> None:
    (message,) = measure_prompt(TOY, "wave with the mass").messages
    matches_snapshot("measure", message.content)


def test_snapshot_of_the_request_for_a_score() -> None:
    (message,) = score_question().messages
    matches_snapshot("judge", message.content)


def test_measure_is_asked_for_without_the_tasks_own_fitness() -> None:
    prompt = measure_prompt(TOY, "wave")
    assert not leaked(TOY, prompt)
    assert "123.25" not in prompt.messages[0].content


def test_measure_that_cannot_be_used_goes_back_with_the_reason() -> None:
    prompt = measure_repair_prompt(measure_prompt(TOY, "wave"), "def measure", "It is NaN.")
    assert [message.role for message in prompt.messages] == ["user", "assistant", "user"]
    assert "cannot be used: It is NaN.\n" in prompt.messages[-1].content


def test_score_is_asked_again_with_the_picture_still_there() -> None:
    prompt = score_repair_prompt(score_question(), "", "The answer is empty.")
    first, last = prompt.messages  # servers refuse empty messages
    assert isinstance(first, ImageMessage)
    assert first.image == b"PNG"
    assert last.content.startswith("The answer is empty. Answer with one JSON object")
    assert prompt.asks_for == "the score of g1c0"


def test_prompt_shows_all_scores_and_what_the_last_are_based_on() -> None:
    history = (worked(0, 0), worked(0, 1), worked(1, 0))
    feedback = (scored(0, g0c0=0.2, g0c1=0.61), scored(1, g0c1=0.5, g1c0=0.75))
    text = user(write_prompt(TOY, "wave", 2, history[2:], history, feedback))
    part = re.search(r"# Scores of the behaviour.*?(?=# Your turn)", text, re.DOTALL)
    assert part is not None
    assert "- Generation 0: g0c1 0.61, g0c0 0.20.\n- Generation 1: g1c0 0.75, g0c1 0.50." in part[0]
    assert "- g1c0: about g1c0 (single scores differ by up to 0.20)." in part[0]
    assert "about g0c0" not in part[0]
    assert "## g0c1, scored lowest this time" in part[0]
    assert "A person" not in part[0]
    assert "Generation 0: best" not in part[0]


def test_scores_of_candidates_that_a_prompt_may_not_show_are_left_out() -> None:
    about = scored(0, g0c0=0.2, g0c1=0.6).about({"g0c0"})
    assert about.scores.keys() == {"g0c0"}

"""From a draft to feedback."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eureka_agent.errors import UsageError
from eureka_agent.records import Feedback, Outcome
from eureka_agent.runs.drafts import Draft, Pair
from eureka_agent.search.feedback import FeedbackRequest
from eureka_agent.server.verdict import Ballot, check_edit, feedback_of, marks_in_words
from eureka_agent.tasks.registry import find_task
from tests.support import run_events as runs
from tests.support.page import reward


def trained(generation: int, index: int, fitness: float) -> Outcome:
    return runs.outcome(generation, runs.completion(index), runs.evaluation(fitness))


BEFORE = trained(0, 1, 3.0)
OUTCOMES = (
    trained(1, 0, 1.0),
    trained(1, 1, 4.0),
    trained(1, 2, 2.0),
    runs.outcome(1, runs.completion(3), runs.REFUSED),
)
BALLOT = Ballot.of_request(FeedbackRequest(runs.TASK, "wave", True, 1, OUTCOMES, BEFORE))
WISH = replace(BALLOT, has_fitness=False)
FIRST_WISH = replace(WISH, earlier=())


@pytest.mark.parametrize(
    ("draft", "ranking"),
    [
        (Draft(1), ()),
        (Draft(1, best="g1c0"), ("g1c0",)),
        (Draft(1, best="g0c1", worst="g1c1"), ("g0c1", "g1c1")),
        (Draft(1, worst="g1c0"), ("g1c1", "g1c0")),  # the fittest of the others is the best
        (Draft(1, worst="g1c1"), ("g0c1", "g1c1")),
        (Draft(1, pairs=(Pair("g0c1", "g1c0", "right"),)), ("g1c0", "g0c1")),
        (Draft(1, worst="g1c0", pairs=(Pair("g0c1", "g1c0", "right"),)), ("g0c1", "g1c0")),
        (Draft(1, best="g1c2", pairs=(Pair("g0c1", "g1c0", "left"),)), ("g1c2", "g0c1", "g1c0")),
    ],
)
def test_choices_and_comparisons_give_the_ranking(draft: Draft, ranking: tuple[str, ...]) -> None:
    assert feedback_of(draft, BALLOT) == Feedback(1, ranking)


def test_without_a_fitness_the_best_before_is_the_best_next_to_a_worst() -> None:
    assert feedback_of(Draft(1, worst="g1c1"), WISH).ranking == ("g0c1", "g1c1")
    assert feedback_of(Draft(1), WISH).ranking == ()


def test_without_a_fitness_the_first_answer_needs_a_best() -> None:
    with pytest.raises(UsageError, match="choose the best candidate"):
        feedback_of(Draft(1, worst="g1c1"), FIRST_WISH)
    assert feedback_of(Draft(1, best="g1c1"), FIRST_WISH).ranking == ("g1c1",)


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        (Draft(1, best="g1c0", worst="g1c0"), "both the best and the worst"),
        (Draft(1, best="g1c3"), "g1c3 cannot be judged here"),  # it failed
        (Draft(1, best="g9c9"), "g9c9 cannot be judged here"),
        (Draft(1, words={"g9c9": "no"}), "g9c9 cannot be judged here"),
        (Draft(1, edited={"../x": "no"}), "cannot be judged here"),
    ],
)
def test_what_contradicts_itself_or_is_unknown_is_refused(draft: Draft, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        feedback_of(draft, BALLOT)


def test_words_and_marked_components_reach_the_model_together() -> None:
    draft = Draft(
        1,
        words={"g1c3": "  write code  ", "g1c0": "too shaky"},
        marks={"g1c0": {"upright": "keep", "speed": "keep", "calm": "drop"}, "g1c1": {"x": "drop"}},
        edited={"g1c1": reward(9.0)},
        stop=True,
    )
    feedback = feedback_of(draft, BALLOT)
    assert feedback.words == {
        "g1c0": "too shaky\n\nKeep these components: upright, speed.\nGive up this component: calm.",
        "g1c1": "Give up this component: x.",
        "g1c3": "write code",
    }
    assert feedback.edited == {"g1c1": reward(9.0)}
    assert feedback.stop


def test_a_component_with_a_hostile_name_stays_one_line() -> None:
    assert marks_in_words({"x\n\n# System\x1b[2J" + "y" * 200: "keep"}).count("\n") == 0


def test_an_edit_is_checked_as_a_reward_file_is() -> None:
    spec = find_task("cartpole").reward_inputs
    assert check_edit(reward(2.0), spec) is None
    problem = check_edit("import os\n" + reward(2.0).replace("x = ", "x = os.getpid() * "), spec)
    assert problem is not None
    assert "Line 1 (import os)" in problem
    assert "pole_angel" in (check_edit(reward(2.0).replace("dof_pos", "pole_angel"), spec) or "")
    assert "no function compute_reward" in (check_edit("def other(x):\n    return\n", spec) or "")

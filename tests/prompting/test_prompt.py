"""The prompts: their whole texts (snapshots), what they must contain and must not contain."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources

import jinja2
import pytest

from eureka_agent.config import TrainingBudget
from eureka_agent.prompting import prompt as prompting
from eureka_agent.prompting.facts import RunFacts
from eureka_agent.prompting.prompt import repair_prompt, write_prompt
from eureka_agent.records import (
    Completion,
    Curve,
    Feedback,
    Message,
    Outcome,
    Prompt,
    TrainingRecord,
)
from eureka_agent.tasks.registry import load_task, task_names
from eureka_agent.tasks.task import Task
from tests.support.prompts import CODE, candidate, failed, leaked, user, worked
from tests.support.snapshots import matches_snapshot
from tests.support.toy_task import ToyTask

TOY = ToyTask()


def first(task: Task, description: str) -> Prompt:
    """Return the prompt at the start of a search."""
    return write_prompt(task, description, 0, (), ())


# ---------------------------------------------------------------- snapshots
def test_snapshot_of_the_system_message_and_the_first_prompt() -> None:
    prompt = first(TOY, TOY.description)
    matches_snapshot("system", prompt.messages[0].content)
    matches_snapshot("first", user(prompt))


def test_snapshot_of_the_next_prompt() -> None:
    best = worked(1, 0)
    history = (
        failed(0, 0, "check", "an old one."),
        best,
        failed(1, 1, "contract", "The reward is NaN."),
    )
    matches_snapshot("next", user(write_prompt(TOY, TOY.description, 2, (best,), history)))


def test_snapshot_of_a_retry() -> None:
    history = (
        failed(0, 0, "extract", "No code.", None),
        failed(0, 1, "check", "'nump' is not defined."),
    )
    matches_snapshot("retry", user(write_prompt(TOY, TOY.description, 0, (), history)))


# ---------------------------------------------------------------- contents
def test_every_prompt_shows_the_users_own_words_where_they_are_not_the_description() -> None:
    words = "The user's own words for it: push it over there\n\nFitness is"
    for parents, history in (
        ((), ()),
        ((worked(0, 0),), (worked(0, 0),)),
        ((), (failed(0, 0, "check", "an error."),)),
    ):
        assert words in user(
            write_prompt(TOY, TOY.description, 1, parents, history, asked_as="push it over there")
        )
        assert "own words for it" not in user(
            write_prompt(TOY, TOY.description, 1, parents, history)
        )


def test_every_readable_name_is_named_with_shape_unit_and_frame() -> None:
    text = user(first(TOY, TOY.description))
    assert "mass_pos: Tensor  # (num_envs, 3) m, world frame: where the mass is\n" in text
    assert "mass_speed: Tensor  # (num_envs,) m/s: how fast it moves\n" in text
    assert (
        "mark_pos: Tensor  # (num_envs, 3) m, world frame: where it belongs; the target of"
        " mass_pos\n" in text
    )
    assert (
        "mass_rot: Tensor  # (num_envs, 4), world frame, quaternion xyzw: its orientation\n" in text
    )
    assert (
        "action: Tensor  # (num_envs, 1): the last action, each entry in [-1, 1]; entries: push\n"
        in text
    )
    assert "episode_time: Tensor  # (num_envs,) s:" in text
    assert "rail_length: float = 2\n" in text
    # 2 physics steps of 0.01 s, 100 of them
    assert "lasts 0.02 s. An episode ends after 100 steps (2 s)" in text


@pytest.mark.parametrize("name", ["ant_forward", "pen_spinning"])
def test_names_that_only_published_rewards_read_are_not_listed(name: str) -> None:
    task = load_task(name)
    shown = "".join(message.content for message in first(task, task.description).messages)
    listed = re.findall(r"^    (\w+): Tensor  #", shown, re.MULTILINE)
    assert listed == [variable.name for variable in task.reward_inputs.variables]
    assert not {variable.name for variable in task.reward_inputs.unlisted} & set(listed)


def test_control_and_observation_are_shown_as_code_with_numbers_without_docstrings() -> None:
    text = user(first(TOY, TOY.description))
    assert (
        "    def terminated(self, state: State, episode_state: EpisodeState) -> Tensor:\n        return"
        ' state["mass_pos"]' in text
    )
    assert "    _RAIL_M = 2\n" in text
    assert "Left the rail" not in text
    assert "scaled to the whole range of its actuator" in text
    assert "def control" not in text

    class Smoothed(ToyTask):
        def control(self, action, memory):  # type: ignore[no-untyped-def]
            return 0.5 * super().control(action, memory)

    text = user(first(Smoothed(), TOY.description))
    assert "return 0.5 * super().control(action, memory)" in text
    assert "scaled to the whole range" not in text


@pytest.mark.parametrize("name", task_names())
def test_bundled_tasks_tell_models_their_fitness_and_their_physics(name: str) -> None:
    task = load_task(name)
    assert task.fitness_meaning
    assert task.notes
    text = user(first(task, task.description))
    assert f"own measure of a policy, is the {task.fitness_meaning}." in text
    assert f"\n{task.notes}\n" in text
    assert task.fitness_meaning not in user(first(task, "let it dance"))


def test_the_training_is_described_with_its_steps_environments_and_discount() -> None:
    budget = TrainingBudget(num_envs=4, environment_steps=800, discount=0.5)
    text = user(
        write_prompt(TOY, TOY.description, 0, (), (), facts=RunFacts(budget, algorithm="SAC"))
    )
    # 200 steps in each environment are two episodes of 100; 0.5^1 = 0.5 after a step of 0.02 s
    assert "by SAC for 800 environment steps in 4 environments at once: 200 steps in each" in text
    assert "as long as 2 full episodes" in text
    assert "a reward that comes 1 steps (0.02 s) later counts half" in text


def test_a_task_without_source_files_still_has_a_prompt() -> None:
    namespace: dict[str, object] = {"ToyTask": ToyTask}
    exec(
        "class Made(ToyTask):\n    def observation(self, state, memory): return"
        " state['mass_pos']\n",
        namespace,
    )
    made = namespace["Made"]
    assert isinstance(made, type)
    assert "def terminated" in user(first(made(), "x"))


def test_code_is_quoted_verbatim_in_a_fence_that_it_cannot_close() -> None:
    best = worked(0, 0)
    text = user(write_prompt(TOY, TOY.description, 1, (best,), (best,)))
    assert f"````python\n{CODE}````\n" in text
    assert "Reflection with fitness -1.0." in text


def test_several_parents_are_all_shown_best_first() -> None:
    parents = (worked(0, 1, 5.0), worked(0, 0, 3.0))
    prompt = write_prompt(TOY, TOY.description, 1, parents, parents)
    text = user(prompt)
    assert text.index("The best reward function so far (g0c1)") < text.index("Another one (g0c0)")
    assert prompt.parents == parents
    assert prompt.history == parents


def test_each_distinct_failure_of_the_last_round_is_shown_once() -> None:
    history = (
        worked(0, 0),
        failed(0, 1, "check", "old"),
        failed(1, 0, "check", "'numpy' is not allowed."),
        failed(1, 1, "check", "'numpy' is not allowed."),
        failed(1, 2, "training", "NaN at step 7."),
    )
    text = user(write_prompt(TOY, TOY.description, 2, history[:1], history))
    assert text.count("'numpy' is not allowed.") == 1
    assert "- g1c2: failed while a policy was trained: NaN at step 7.\n" in text
    assert "old" not in text.split("What failed")[1]
    assert "What failed" not in user(
        write_prompt(TOY, TOY.description, 1, history[:1], history[:1])
    )


def test_a_retry_shows_the_code_of_three_failures() -> None:
    history = tuple(
        failed(0, i, "check", f"reason {i}.", None if i == 0 else CODE) for i in range(6)
    )
    text = user(write_prompt(TOY, TOY.description, 0, (), history))
    assert [f"reason {i}." in text for i in range(6)] == [True] * 6
    assert text.count("# The code of") == 3
    assert "The code of g0c0" not in text


def test_a_repair_continues_the_conversation() -> None:
    prompt = first(TOY, TOY.description)
    failure = failed(0, 1, "contract", "The reward is NaN.")
    again = repair_prompt(prompt, failure)
    assert again.messages[:2] == prompt.messages
    assert again.messages[2] == Message("assistant", "…")  # the answer, unchanged
    assert again.messages[3].role == "user"
    matches_snapshot("repair", again.messages[3].content)
    assert again.repair == 1
    empty = replace(
        failure,
        candidate=replace(failure.candidate, completion=Completion(1, " \n", "m", repair=4)),
    )
    again = repair_prompt(prompt, empty)
    assert [message.role for message in again.messages] == ["system", "user", "user"]
    assert again.repair == 5


def test_kind_of_prompt_follows_from_parents_and_failures() -> None:
    best, bad = worked(0, 0), failed(0, 1, "check", "no.")
    history = (best, bad)  # one worked, but it was not chosen as a parent
    assert "no." not in asked((), ())
    assert asked((), history) == asked((), ())
    assert "- g0c1: refused before it ran: no." in asked((), (bad,))
    assert "The best reward function so far (g0c0)" in asked((best,), history)


def asked(parents: tuple[Outcome, ...], history: tuple[Outcome, ...]) -> str:
    return user(write_prompt(TOY, TOY.description, 1, parents, history))


def test_a_free_instruction_replaces_the_task_s_own_and_mentions_no_fitness() -> None:
    instruction = "let it {{ 7 * 7 }} dance {% raw %}"
    best = worked(0, 0)
    text = user(write_prompt(TOY, instruction, 1, (best,), (best,)))
    assert instruction in text  # unchanged: a user's words are not a template
    assert TOY.description not in text
    assert best.reflection is not None
    assert "fitness" not in text.replace(best.reflection, "")


def test_episodes_without_an_early_end_are_shown_without_one() -> None:
    text = user(first(TOY.without_end(), "let it dance"))
    assert "An episode ends after 100 steps (2 s), and never earlier." in text
    assert "terminated" not in text
    assert "ends early" not in text
    assert "or earlier if terminated() says so." in user(first(TOY, "let it dance"))


def trained(generation: int, index: int, *components: str) -> Outcome:
    curve = Curve("reward", (1.0,), 1.0, 1.0, 1.0)
    curves = tuple(replace(curve, name=name) for name in components)
    return replace(
        worked(generation, index), training=TrainingRecord(1, 1.0, curve, curves, curve, curve)
    )


JUDGED = (
    trained(0, 0, "up"),
    trained(0, 1, "up", "calm"),
    failed(0, 2, "contract", "The reward is NaN."),
    trained(1, 0, "up", "fast"),
    trained(1, 1, "fast"),
    trained(1, 2, "slow"),
)
FEEDBACK = (
    Feedback(0, ("g0c1", "g0c0"), {"g0c0": "its left leg {drags}\nand it <limps>"}),
    Feedback(
        1,
        ("g1c0", "g0c1", "g1c1"),
        {"g1c0": "good, now faster", "g1c1": "shaky", "g1c2": "{{ lazy }}"},
    ),
)


def feedback_part(prompt: Prompt) -> str:
    return user(prompt).split("# Feedback from a person")[1].split("# Your turn")[0]


def test_snapshot_of_feedback() -> None:
    matches_snapshot("feedback", user(write_prompt(TOY, "wave", 2, JUDGED[3:4], JUDGED, FEEDBACK)))


def test_comments_are_quoted_verbatim_with_their_candidate() -> None:
    text = feedback_part(write_prompt(TOY, "wave", 2, JUDGED[3:4], JUDGED, FEEDBACK))
    best, worst, other = (
        text.index("## g1c0, shown above"),
        text.index("## g1c1, liked least"),
        text.index("## g1c2\n"),
    )
    assert best < text.index("\ngood, now faster\n") < worst < text.index("\nshaky\n") < other
    assert other < text.index("\n{{ lazy }}\n") < text.index("Earlier comments on g0c0")
    assert "\nits left leg {drags}\nand it <limps>\n" in text
    # The worst and g1c2; the best is shown above already.
    assert text.count("def compute_reward") == 2
    assert "- Generation 0: best g0c1 (up, calm), worst g0c0 (up).\n" in text
    assert (
        "- Generation 1: best g1c0 (up, fast), then g0c1 (up, calm), worst g1c1 (fast); g1c2 not"
        " ranked.\n" in text
    )


def test_comments_without_a_ranking_reach_the_next_first_prompt() -> None:
    prompt = write_prompt(
        TOY, "wave", 1, (), JUDGED[:3], (Feedback(0, (), {"g0c2": "what is this?"}),)
    )
    assert "\nwhat is this?\n" in feedback_part(prompt)
    assert "def compute_reward" in feedback_part(prompt)
    assert "choices so far" not in feedback_part(prompt)


def test_without_feedback_the_prompt_has_no_feedback_part() -> None:
    assert "Feedback from a person" not in user(write_prompt(TOY, "wave", 2, JUDGED[3:4], JUDGED))
    assert "Feedback from a person" not in user(
        write_prompt(TOY, "wave", 2, JUDGED[3:4], JUDGED, (Feedback(0),))
    )


def test_a_parent_without_a_training_is_shown_without_a_reflection() -> None:
    parent = Outcome(candidate(0, 0))
    text = user(write_prompt(TOY, TOY.description, 1, (parent,), (parent,)))
    assert "````\n\n# Your turn" in text


def test_an_undefined_name_in_a_template_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        prompting.render("next.md", task=TOY)


def test_only_the_documented_templates_are_shipped() -> None:
    folder = resources.files("eureka_agent.prompts")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".md"))
    expected = (
        "behaviour environment examples failures feedback figures first history judge judge_again"
        " judge_test measure measure_again next reflection repair retry roles summary system task"
        " training".split()
    )
    assert names == [f"{name}.md" for name in expected]


# ---------------------------------------------------------------- leaks
@pytest.mark.parametrize("name", task_names())
def test_no_fitness_code_and_no_human_reward_leaks(name: str) -> None:
    task = load_task(name)
    best = worked(0, 0)
    history = (best, failed(0, 1, "check", "no."))
    for prompt in (
        first(task, task.description),
        write_prompt(task, task.description, 1, (best,), history),
        write_prompt(task, task.description, 0, (), history[1:]),
    ):
        assert leaked(task, prompt) == set()
        assert "def fitness" not in user(prompt)
        assert not re.search(r"human(?!oid)", user(prompt))


def test_the_leak_test_detects_a_leak() -> None:
    text = (
        "how_far_off: Tensor = (state['mass_pos'] - state['mark_pos']).norm(dim=1) return -9.75 *"
        " mass_speed, {}"
    )
    assert len(leaked(TOY, first(TOY, text))) == 2
    assert leaked(TOY, first(TOY, TOY.description)) == set()

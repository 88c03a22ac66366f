"""A judge's feedback in a run: the parents, the next prompt, what is stored and resumed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.api.preparation import RunOverrides
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.events import Event, GenerationFinished
from tests.support.rewards import NO_CODE, TRACEBACK, upright
from tests.support.runs import StoppedError, comparable, config

SCRIPT = [
    [upright(0.1), NO_CODE, upright(0.2)],
    [upright(0.3), upright(0.4), upright(0.5)],
    [upright(0.6)] * 3,
]
WORDS = 'too {shaky}\nand "loud" \x1b[31m'


class Scripted:
    """Returns the given feedback, one generation after the other, and records its requests."""

    def __init__(self, *said: ea.Feedback) -> None:
        self._said = {one.generation: one for one in said}
        self.asked: list[ea.FeedbackRequest] = []

    def __call__(self, request: ea.FeedbackRequest) -> ea.Feedback:
        self.asked.append(request)
        return self._said.get(request.generation, ea.Feedback(request.generation))


def test_a_judge_chooses_the_parents_and_its_comments_are_quoted(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    judge = Scripted(
        ea.Feedback(0, ("g0c2", "g0c0"), {"g0c0": WORDS, "g0c1": "write code"}),
        ea.Feedback(1, ("g1c1", "g0c2", "g1c0"), {"g1c1": "better"}),
    )
    proposer = ScriptedProposer(SCRIPT)
    generations: list[ea.Feedback | None] = []

    def listen(event: Event) -> None:
        if isinstance(event, GenerationFinished):
            generations.append(event.generation.feedback)

    settings = config(tmp_path, generations=3)
    result = ea.synthesize(
        settings, proposer=proposer, judge=judge, sandbox=sandbox, listener=listen
    )

    asked = {prompt.generation: prompt for prompt in proposer.prompts}
    assert [asked[g].parents[0].candidate.name for g in (1, 2)] == ["g0c2", "g1c1"]
    second, third = (asked[g].messages[-1].content for g in (1, 2))
    assert f"\n{WORDS}\n" in second
    assert "\nwrite code\n" in second
    assert "## g0c0, liked least this time" in second
    assert "- Generation 0: best g0c2 (upright, calm), worst g0c0 (upright, calm).\n" in second
    assert "Generation 1: best g1c1 (upright, calm), then g0c2 (upright, calm), worst g1c0" in third
    assert f"Earlier comments on g0c0:\n\n{WORDS}\n" in third
    # generation 2 was not ranked: the fittest of it and of the chosen g1c1 is the result
    assert result.best is not None
    assert result.best.candidate.name in ("g1c1", "g2c0")
    first, _, last = judge.asked
    assert [outcome.candidate.name for outcome in first.trained] == ["g0c0", "g0c2"]
    assert last.trained[0].candidate.name == "g1c1"
    assert first.has_fitness
    assert ea.Policy.from_bytes(first.policies["g0c2"]).sizes[0] == 4
    assert set(last.policies) == {outcome.candidate.name for outcome in last.trained}
    assert generations[0] == ea.Feedback(0, ("g0c2", "g0c0"), {"g0c0": WORDS, "g0c1": "write code"})


@pytest.mark.parametrize("strategy", ["random", "restarts:1"])
def test_comments_reach_the_prompt_after_a_restart_with_the_code(
    tmp_path: Path, sandbox: Sandbox, strategy: str
) -> None:
    """Generation 1 knows only the feedback on generation 0; all of it fails, and it is asked for
    again."""
    judge = Scripted(ea.Feedback(0, ("g0c2", "g0c0"), {"g0c0": WORDS}))
    proposer = ScriptedProposer([SCRIPT[0], [NO_CODE] * 6])
    settings = config(tmp_path, generations=2, attempts=2, strategy=strategy)
    ea.synthesize(settings, proposer=proposer, judge=judge, sandbox=sandbox)
    _, restarted, retried = (prompt.messages[-1].content for prompt in proposer.prompts)
    assert "did not lead to a policy" in retried
    for text in (restarted, retried):
        assert f"\n{WORDS}\n" in text
        assert "calm = -0.1 * " in text  # of g0c0
        assert "calm = -0.2 * " not in text  # of g0c2, which has no comment
    assert not proposer.prompts[1].history


def test_parents_of_other_islands_can_be_ranked(tmp_path: Path, sandbox: Sandbox) -> None:
    judge = Scripted()
    ea.synthesize(
        config(tmp_path, generations=2, samples=4, strategy="islands"), judge=judge, sandbox=sandbox
    )
    first, second = judge.asked
    assert (first.best, first.other_parents) == (None, ())
    assert second.best is not None
    (other,) = second.other_parents
    assert {second.best.candidate.index // 2, other.candidate.index // 2} == {
        0,
        1,
    }  # one of each half of generation 0
    assert second.trained[:2] == (second.best, other)
    assert second.policies[other.candidate.name]


def test_stop_ends_the_search_with_the_best_so_far(tmp_path: Path, sandbox: Sandbox) -> None:
    judge = Scripted(ea.Feedback(0, ("g0c2",), stop=True))
    proposer = ScriptedProposer(SCRIPT)
    result = ea.synthesize(config(tmp_path), proposer=proposer, judge=judge, sandbox=sandbox)
    assert result.best is not None
    assert result.best.candidate.name == "g0c2"
    assert (result.path / "summary.json").exists()
    assert len(proposer.prompts) == 1
    again = Scripted()
    resumed = ea.resume(
        tmp_path / "run", proposer=ScriptedProposer([]), judge=again, sandbox=sandbox
    )
    assert resumed.best is not None
    assert resumed.best.candidate.name == "g0c2"
    assert again.asked == []


def test_a_resumed_run_asks_the_judge_again_only_without_stored_feedback(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    said = (ea.Feedback(0, ("g0c0", "g0c2"), {"g0c0": "good"}), ea.Feedback(1, ("g1c0",)))
    settings = config(tmp_path, run_name="whole")
    whole = ea.synthesize(
        settings, proposer=ScriptedProposer(SCRIPT), judge=Scripted(*said), sandbox=sandbox
    )

    def interrupted(request: ea.FeedbackRequest) -> ea.Feedback:
        raise StoppedError

    def stop(event: Event) -> None:
        if isinstance(event, GenerationFinished):
            raise StoppedError

    during, after = Scripted(*said), Scripted(*said)
    with pytest.raises(StoppedError):
        ea.synthesize(
            config(tmp_path), proposer=ScriptedProposer(SCRIPT), judge=interrupted, sandbox=sandbox
        )
    with pytest.raises(StoppedError):
        ea.resume(
            tmp_path / "run",
            proposer=ScriptedProposer([]),
            judge=during,
            listener=stop,
            sandbox=sandbox,
        )
    assert [request.generation for request in during.asked] == [0]
    with Store.open(RunDir(tmp_path / "run").database) as store:
        assert store.feedback() == {0: said[0]}
    proposer = ScriptedProposer(SCRIPT)
    result = ea.resume(tmp_path / "run", proposer=proposer, judge=after, sandbox=sandbox)
    assert [request.generation for request in after.asked] == [1]
    assert "\ngood\n" in proposer.prompts[0].messages[-1].content
    assert comparable(result.outcomes) == comparable(whole.outcomes)
    assert result.best is not None
    assert result.best.candidate.name == "g1c0"


def test_invalid_feedback_stops_the_run_and_is_not_stored(tmp_path: Path, sandbox: Sandbox) -> None:
    judge = Scripted(ea.Feedback(0, ("g0c1",)))  # it failed
    with pytest.raises(UsageError, match="'g0c1', which is not a trained candidate"):
        ea.synthesize(
            config(tmp_path), proposer=ScriptedProposer(SCRIPT), judge=judge, sandbox=sandbox
        )
    good = Scripted(ea.Feedback(0, ("g0c2",)))
    result = ea.resume(
        tmp_path / "run", proposer=ScriptedProposer(SCRIPT), judge=good, sandbox=sandbox
    )
    assert result.outcomes[3].candidate.generation == 1


def test_a_generation_without_a_policy_is_not_judged(tmp_path: Path, sandbox: Sandbox) -> None:
    judge = Scripted()
    proposer = ScriptedProposer(
        lambda prompt, index: TRACEBACK if prompt.generation == 1 else upright(0.1 + index)
    )
    ea.synthesize(config(tmp_path, generations=3), proposer=proposer, judge=judge, sandbox=sandbox)
    assert [request.generation for request in judge.asked] == [0, 2]


def test_a_judge_added_on_resume_is_not_asked_about_past_generations(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, GenerationFinished) and event.generation.index == 1:
            raise StoppedError

    settings = config(tmp_path, generations=3)
    with pytest.raises(StoppedError):
        ea.synthesize(settings, proposer=ScriptedProposer(SCRIPT), listener=stop, sandbox=sandbox)
    judge = Scripted()
    ea.resume(tmp_path / "run", proposer=ScriptedProposer(SCRIPT), judge=judge, sandbox=sandbox)
    assert [request.generation for request in judge.asked] == [1, 2]


# ---------------------------------------------------------------- the stand-in
@pytest.mark.parametrize("strategy", ["greedy", "islands", "restarts:2"])
def test_the_synthetic_judge_gives_the_same_run_as_fitness(
    tmp_path: Path, sandbox: Sandbox, strategy: str
) -> None:
    """With the task's own instruction: the same parents, proposals and outcomes, to the bit."""
    search = config(tmp_path, generations=3, strategy=strategy, run_name="plain")
    plain = ea.synthesize(search, sandbox=sandbox)
    judged = ea.synthesize(
        search.replaced(run_name="judged", feedback="synthetic"), sandbox=sandbox
    )
    with (
        Store.open(RunDir(plain.path).database) as a,
        Store.open(RunDir(judged.path).database) as b,
    ):
        assert [x.parents for x in a.prompts()] == [x.parents for x in b.prompts()]
        assert [said.generation for said in b.feedback().values()] == [0, 1, 2]
        assert len(b.feedback()[2].ranking) >= 3
    texts, others = (
        [o.candidate.completion.text for o in result.outcomes] for result in (plain, judged)
    )
    assert texts == others
    assert [o.evaluation for o in plain.outcomes] == [o.evaluation for o in judged.outcomes]
    assert plain.best is not None
    assert judged.best is not None
    assert plain.best.candidate.name == judged.best.candidate.name


@pytest.mark.parametrize("proposer", [None, ScriptedProposer(SCRIPT)])
def test_without_a_fitness_no_prompt_contains_the_fitness(
    tmp_path: Path, sandbox: Sandbox, proposer: ScriptedProposer | None
) -> None:
    instruction = config(
        tmp_path, task="wave the pole about", env="cartpole", generations=3, feedback="synthetic"
    )
    given: RunOverrides = (
        {"proposer": proposer, "sandbox": sandbox} if proposer else {"sandbox": sandbox}
    )
    result = ea.synthesize(instruction, **given)
    assert result.best is not None
    assert result.best.fitness == max(outcome.fitness for outcome in result.outcomes)
    for file in (*(result.path / "prompts").iterdir(), *(result.path / "completions").iterdir()):
        assert "fitness" not in file.read_text().casefold()
    for prompt in proposer.prompts if proposer else ():
        assert all(outcome.fitness == -math.inf for outcome in (*prompt.history, *prompt.parents))


# ---------------------------------------------------------------- the example of the documentation
def test_the_example_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "feedback.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    small: dict[str, object] = {
        "generations": 2,
        "samples": 2,
        "num_envs": 8,
        "environment_steps": 512,
    }
    real: Callable[..., ea.SynthesisConfig] = ea.SynthesisConfig.of
    monkeypatch.setattr(ea.SynthesisConfig, "of", lambda **given: real(**(given | small)))
    names: dict[str, object] = {}
    exec(compile(example, "docs/feedback.md", "exec"), names)
    result = names["result"]
    assert isinstance(result, ea.SynthesisResult)
    with Store.open(RunDir(result.path).database) as store:
        assert len(store.feedback()) == 2
        assert all(said.ranking for said in store.feedback().values())

"""The whole loop on real physics, with scripted proposers and tiny trainings."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.errors import ProposerError, UnavailableError, UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import Completion, Prompt
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.events import Event, RunFinished, TrainingStarted
from tests.support.rewards import (
    EMPTY,
    NAN,
    NO_CODE,
    SYNTAX_ERROR,
    TRACEBACK,
    UNKNOWN_NAME,
    WRONG_SHAPE,
    upright,
)
from tests.support.runs import StoppedError, comparable, config


def test_a_whole_run_writes_its_files(tmp_path: Path, sandbox: Sandbox) -> None:
    events: list[Event] = []
    script = [[upright(0.1), NO_CODE, upright(0.2)], [upright(0.3), UNKNOWN_NAME, upright(0.4)]]
    proposer = ScriptedProposer(script)
    result = ea.synthesize(
        config(tmp_path, baselines=True), proposer=proposer, listener=events.append, sandbox=sandbox
    )

    assert result.best is not None
    assert result.best.fitness == max(outcome.fitness for outcome in result.outcomes)
    assert [o.candidate.name for o in result.outcomes] == [
        "g0c0",
        "g0c1",
        "g0c2",
        "g1c0",
        "g1c1",
        "g1c2",
    ]
    assert [o.failure.stage if o.failure else None for o in result.outcomes] == [
        None, "extract", None, None, "check", None,
    ]  # fmt: skip
    assert {b.name for b in result.baselines} == {"human", "sparse", "random"}
    assert result.reward is not None
    assert (result.path / "best_reward.py").read_text() == result.reward.source
    assert ea.Policy.load(result.path / "policy.safetensors").sizes == (4, 64, 64, 1)
    summary = json.loads((result.path / "summary.json").read_text())
    assert summary["best"]["fitness"] == result.best.fitness
    assert (result.path / "completions" / "g0c1.md").read_text() == NO_CODE
    # the best of generation 0 and its numbers are in the prompt of generation 1, and so is what
    # failed
    prompt = (result.path / "prompts" / "generation_1.md").read_text()
    first = max(result.outcomes[:3], key=lambda o: o.fitness)
    assert first.candidate.reward is not None
    assert first.candidate.reward.code.strip() in prompt
    assert first.reflection is not None
    assert first.reflection.strip() in prompt
    assert result.outcomes[1].failure is not None
    assert result.outcomes[1].failure.message in prompt
    assert list((result.path / "tensorboard").rglob("*tfevents*"))
    assert isinstance(events[-1], RunFinished)


def test_a_generation_in_which_all_fail_is_asked_again_with_the_reasons(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    answers: list[Callable[[], str]] = [lambda: TRACEBACK, lambda: WRONG_SHAPE, lambda: NAN]

    def answer(prompt: Prompt, index: int) -> str:
        if prompt.generation == 0 and index < 3:
            return answers[index]()
        return upright(0.1 + index)

    proposer = ScriptedProposer(answer)
    result = ea.synthesize(config(tmp_path, generations=1), proposer=proposer, sandbox=sandbox)
    assert proposer.asked == [(0, i) for i in range(6)]
    repair = proposer.prompts[1].messages[-1].content
    for outcome in result.outcomes[:3]:
        assert outcome.failure is not None
        assert outcome.failure.stage == "contract"
        assert outcome.failure.message in repair
    assert "IndexError" in repair
    assert "line 6" in repair
    assert result.best is not None
    assert result.best.candidate.index >= 3


def test_a_run_in_which_nothing_works_ends_without_an_error(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    bad = [EMPTY, SYNTAX_ERROR, UNKNOWN_NAME]
    proposer = ScriptedProposer(lambda prompt, index: bad[index % 3])
    result = ea.synthesize(config(tmp_path), proposer=proposer, sandbox=sandbox)
    assert result.best is None
    assert result.reward is None
    assert result.policy is None
    assert len(result.outcomes) == 2 * 3 * 3
    assert all(outcome.fitness == -math.inf for outcome in result.outcomes)
    messages = {outcome.failure.message for outcome in result.outcomes if outcome.failure}
    assert any("dof_pos" in message for message in messages)  # similar names


def test_a_worse_generation_never_replaces_the_best(tmp_path: Path, sandbox: Sandbox) -> None:
    script = [[upright(0.0)], ["nothing"], ["nothing"]]
    proposer = ScriptedProposer(lambda prompt, index: script[prompt.generation][0])
    generations = list(
        ea.evolve(config(tmp_path, generations=3, samples=1), proposer=proposer, sandbox=sandbox)
    )
    assert [g.best.candidate.name if g.best else None for g in generations] == ["g0c0"] * 3
    assert proposer.prompts[-1].parents[0].candidate.name == "g0c0"


@pytest.mark.parametrize(
    "moment", ["CompletionReceived", "TrainingStarted", "TrainingProgress", "GenerationFinished"]
)
def test_a_run_stopped_at_any_moment_ends_the_same(
    tmp_path: Path, sandbox: Sandbox, moment: str
) -> None:
    script = [[upright(0.1), TRACEBACK, upright(0.2)], [upright(0.3), NO_CODE, upright(0.4)]]
    whole = ea.synthesize(
        config(tmp_path, run_name="whole"), proposer=ScriptedProposer(script), sandbox=sandbox
    )

    def stop(event: Event) -> None:
        if type(event).__name__ == moment:
            raise StoppedError

    first = ScriptedProposer(script)
    with pytest.raises(StoppedError):
        ea.synthesize(
            config(tmp_path, run_name="cut"), proposer=first, listener=stop, sandbox=sandbox
        )
    second = ScriptedProposer(script)
    trained: list[str] = []

    def watch(event: Event) -> None:
        if isinstance(event, TrainingStarted):
            trained.extend(event.names)

    result = ea.resume(tmp_path / "cut", proposer=second, listener=watch, sandbox=sandbox)
    assert comparable(result.outcomes) == comparable(whole.outcomes)
    assert not set(first.asked) & set(second.asked)
    assert sorted(first.asked + second.asked) == [(g, i) for g in range(2) for i in range(3)]
    assert trained == (
        ["g1c0", "g1c2"] if moment == "GenerationFinished" else ["g0c0", "g0c2", "g1c0", "g1c2"]
    )
    assert result.policy is not None
    assert whole.policy is not None
    assert result.policy.to_bytes() == whole.policy.to_bytes()


def test_a_sequential_trainer_repeats_no_finished_training(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    pytest.importorskip("stable_baselines3")
    script = [[upright(0.1), upright(0.2)]]
    search = config(tmp_path, generations=1, samples=2, trainer="sb3")
    proposer = ScriptedProposer(script)
    whole = ea.synthesize(search.replaced(run_name="whole"), proposer=proposer, sandbox=sandbox)
    trained: list[str] = []

    def stop(event: Event) -> None:
        if isinstance(event, TrainingStarted) and event.candidates:
            trained.extend(event.names)
            if len(trained) == 2:  # the first is done
                raise StoppedError

    with pytest.raises(StoppedError):
        ea.synthesize(
            search.replaced(run_name="cut"), proposer=proposer, listener=stop, sandbox=sandbox
        )
    result = ea.resume(tmp_path / "cut", proposer=proposer, listener=stop, sandbox=sandbox)
    assert trained == ["g0c0", "g0c1", "g0c1"]
    assert comparable(result.outcomes) == comparable(whole.outcomes)


def test_resuming_a_complete_run_asks_and_trains_nothing(tmp_path: Path, sandbox: Sandbox) -> None:
    script = [[upright(0.1)], [upright(0.2)]]
    whole = ea.synthesize(
        config(tmp_path, samples=1), proposer=ScriptedProposer(script), sandbox=sandbox
    )
    again = ScriptedProposer([])
    result = ea.resume(tmp_path / "run", proposer=again, sandbox=sandbox)
    assert again.asked == []
    assert comparable(result.outcomes) == comparable(whole.outcomes)


def test_a_proposer_that_fails_loses_nothing_that_arrived(tmp_path: Path, sandbox: Sandbox) -> None:
    class Dies(ScriptedProposer):
        def propose(self, prompts):  # type: ignore[no-untyped-def]
            yield Completion(0, upright(0.1), "model")
            raise UnavailableError("the server is gone")

    with pytest.raises(ProposerError, match="the server is gone"):
        ea.synthesize(config(tmp_path), proposer=Dies([]), sandbox=sandbox)
    with Store.open(RunDir(tmp_path / "run").database) as store:
        assert [c.index for c in store.completions(0).values()] == [0]


def test_an_instruction_without_fitness_follows_a_persons_choice(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    def likes_the_last(question: ea.FeedbackRequest) -> ea.Feedback:
        return ea.Feedback(question.generation, (question.trained[-1].candidate.name,))

    instruction = config(tmp_path, task="wave the pole about", env="cartpole", samples=2)
    with pytest.raises(UsageError, match="so a judge is needed"):
        ea.synthesize(instruction, proposer=ScriptedProposer([]), sandbox=sandbox)
    assert not (tmp_path / "run").exists()
    proposer = ScriptedProposer([[upright(0.1), upright(0.2)], [upright(0.3), NO_CODE]])
    result = ea.synthesize(instruction, proposer=proposer, judge=likes_the_last, sandbox=sandbox)
    assert result.best is not None
    assert result.best.candidate.name == "g1c0"
    assert proposer.prompts[1].parents[0].candidate.name == "g0c1"
    assert "wave the pole about" in proposer.prompts[0].messages[-1].content
    assert "fitness" not in proposer.prompts[1].messages[-1].content.casefold()
    resumed = ea.resume(
        tmp_path / "run", proposer=ScriptedProposer([]), judge=likes_the_last, sandbox=sandbox
    )
    assert resumed.best is not None
    assert resumed.best.candidate.name == "g1c0"


def test_a_duplicate_reward_is_not_trained_again(tmp_path: Path, sandbox: Sandbox) -> None:
    """Other names, another order of lines, a helper: the same operations, so the original's result,
    bit for bit."""
    source = upright(0.1).split("def compute_reward")[0]
    disguised = (
        f"{source}def calmness(speed, weight):\n    return -weight * speed.abs()\n\n\ndef"
        " compute_reward(dof_pos: Tensor, dof_vel: Tensor):\n    angle = dof_pos[:, 1]\n    up ="
        " torch.cos(angle)\n    quiet = calmness(dof_vel[:, 0], 0.1)\n    return up + quiet,"
        ' {"upright": up, "calm": quiet}\n```\n'
    )
    answers = {
        0: [upright(0.1), upright(0.2), disguised],
        1: [upright(0.2), upright(0.3), upright(0.3)],
    }
    prompts: list[str] = []

    def answer(prompt: Prompt, index: int) -> str:
        prompts.append(prompt.messages[-1].content)
        return answers[prompt.generation][index]

    trained: list[tuple[str, ...]] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrainingStarted):
            trained.append(event.names)

    settings = config(tmp_path, generations=2, samples=3, baselines=False)
    result = ea.synthesize(
        settings, proposer=ScriptedProposer(answer), sandbox=sandbox, listener=listen
    )

    assert trained == [("g0c0", "g0c1"), ("g1c1",)]
    assert [outcome.duplicate_of for outcome in result.outcomes] == [
        None,
        None,
        "g0c0",
        "g0c1",
        None,
        "g1c1",
    ]
    first, duplicate_of = result.outcomes[0], result.outcomes[2]
    assert duplicate_of.evaluation == first.evaluation
    assert duplicate_of.candidate.fingerprint == first.candidate.fingerprint
    assert duplicate_of.candidate.reward != first.candidate.reward
    with Store.open(RunDir(result.path).database, writable=False) as store:
        assert store.policy(0, 2) == store.policy(0, 0) is not None
    each = first.training.environment_steps if first.training else 0
    steps = json.loads((result.path / "summary.json").read_text())["environment_steps"]
    assert steps == 3 * each  # six rewards, three trainings
    assert "g0c2 computes exactly the same as g0c0" in prompts[-1]
    assert all(
        "seccomp" in outcome.sandbox for outcome in result.outcomes
    )  # the sandbox layers are stored with the result


def test_each_island_is_asked_with_its_own_parent(tmp_path: Path, sandbox: Sandbox) -> None:
    """Two islands of one sample each: each builds on its own reward, whichever is better, also
    after a restart."""
    script = [[upright(0.1), upright(5.0)], [upright(0.2), upright(4.0)]]
    settings = config(tmp_path, samples=2, strategy="islands:2")
    stops = ScriptedProposer(script[:1])
    with pytest.raises(ProposerError, match="no text for sample 0 of generation 1"):
        ea.synthesize(settings, proposer=stops, sandbox=sandbox)
    result = ea.resume(tmp_path / "run", proposer=ScriptedProposer(script), sandbox=sandbox)
    assert all(outcome.evaluation for outcome in result.outcomes)
    with Store.open(RunDir(result.path).database, writable=False) as store:
        first, second = store.prompts(1)
    assert (first.samples, first.parents) == ((0,), ("g0c0",))
    assert (second.samples, second.parents) == ((1,), ("g0c1",))
    assert "-0.1 * dof_vel" in first.messages[-1].content
    assert "-5.0 * dof_vel" in second.messages[-1].content
    assert "-5.0 * dof_vel" not in first.messages[-1].content


def test_each_sample_of_a_later_generation_has_a_role_at_the_end_of_its_prompt(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    script = [[upright(0.1 * k) for k in range(1, 7)], [upright(1.0 + k) for k in range(6)]]
    proposer = ScriptedProposer(script)
    ea.synthesize(config(tmp_path, samples=6), proposer=proposer, sandbox=sandbox)
    texts = [prompt.messages[-1].content for prompt in proposer.prompts[1:]]
    ends = [text.rstrip("\n").rsplit("\n", 1)[1].split(".")[0] for text in texts]
    assert ends == [
        "Your part: refine",
        "Your part: a bold new idea",
        "Your part: learn faster",
        "Your part: combine",
        "Your part: make it robust",
        "Your part: simplify",
    ]
    assert len({text.rsplit("Your part", 1)[0] for text in texts}) == 1  # a common beginning

"""A search with an initial reward: it is evaluated, shown to the model, compared with the best."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.cli.main import main
from eureka_agent.errors import RewardFileError, UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.report import code_diff
from eureka_agent.report.export import export_text, exported
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.events import Event, InitialRewardEvaluated, TrainingStarted
from eureka_agent.tasks.registry import load_task
from tests.support.prompts import leaked, user
from tests.support.rewards import NAN, NO_CODE, TRACEBACK, upright
from tests.support.runs import StoppedError, comparable, config, shown

CARTPOLE = load_task("cartpole")
HUMAN = f"It is said well already.\n\n```python\n{CARTPOLE.human_reward}```"
SCRIPT = [[upright(0.1), HUMAN, upright(0.2)], [upright(0.3), NO_CODE, upright(0.4)]]


def code(answer: str) -> str:
    return answer.split("```python\n")[1].split("```")[0]


def test_a_search_from_the_human_reward(tmp_path: Path, sandbox: Sandbox) -> None:
    proposer, events = ScriptedProposer(SCRIPT), list[Event]()
    settings = config(tmp_path, initial_reward="human", baselines=True)
    result = ea.synthesize(settings, proposer=proposer, listener=events.append, sandbox=sandbox)

    start = result.outcomes[0]
    assert [o.candidate.name for o in result.outcomes] == [
        "start",
        *(f"g{g}c{i}" for g in range(2) for i in range(3)),
    ]
    assert start.candidate.reward is not None
    assert start.candidate.reward.code.strip() == CARTPOLE.human_reward.strip()
    human = next(baseline for baseline in result.baselines if baseline.name == "human")
    assert start.evaluation == human.evaluation  # the same training
    trained = [event.names for event in events if isinstance(event, TrainingStarted)]
    assert trained == [
        ("human reward", "sparse reward"),
        ("start",),
        ("g0c0", "g0c2"),
        ("g1c0", "g1c2"),
    ]
    assert result.outcomes[2].duplicate_of == "start"
    assert result.outcomes[2].evaluation == start.evaluation

    first = proposer.prompts[0]
    assert [parent.candidate.name for parent in first.parents] == ["start"]
    assert CARTPOLE.human_reward.strip() in user(first)
    assert "The best reward function so far (start)" in user(first)
    assert start.reflection is not None
    assert start.reflection.strip() in user(first)
    assert start.distance_to_human == 0.0
    assert first.parents[0].distance_to_human is None

    summary = json.loads((result.path / "summary.json").read_text())
    assert summary["start"]["from"] == "human"
    assert result.best is not None
    assert summary["start"]["gain"] == result.best.fitness - start.fitness >= 0.0
    assert summary["proposer"] == "scripted"
    assert [entry["generation"] for entry in summary["generations"]] == [0, 1]
    text = shown(result.path)
    assert "The search starts from the human reward" in text
    assert "Generation g0, built on start" in text
    with Store.open(RunDir(result.path).database, writable=False) as store:
        assert store.prompts(0)[0].parents == ("start",)
        assert '"start"' in export_text(exported(store))
        assert code_diff(store, "g0c0").startswith("--- start\n+++ g0c0\n")


def test_a_hidden_human_reward_has_to_be_beaten_and_is_in_no_prompt(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    proposer = ScriptedProposer([[upright(0.1)], [upright(0.2)]])
    settings = config(tmp_path, samples=1, initial_reward="human", hide_initial_reward=True)
    result = ea.synthesize(settings, proposer=proposer, sandbox=sandbox)
    assert [o.candidate.name for o in result.outcomes] == ["start", "g0c0", "g1c0"]
    assert result.best is not None
    assert result.best.fitness == max(outcome.fitness for outcome in result.outcomes)
    assert [leaked(CARTPOLE, prompt) for prompt in proposer.prompts] == [set(), set()]
    assert [[p.candidate.name for p in prompt.parents] for prompt in proposer.prompts] == [
        [],
        ["g0c0"],
    ]


def test_hiding_needs_an_initial_reward() -> None:
    with pytest.raises(UsageError, match="--hide-initial-reward needs an --initial-reward"):
        ea.SynthesisConfig.of("cartpole", hide_initial_reward=True)


def test_by_default_no_prompt_contains_the_human_reward(tmp_path: Path, sandbox: Sandbox) -> None:
    """A run that starts from it shows it, but not the code of the fitness (see the leak test)."""
    told, silent = ScriptedProposer(SCRIPT), ScriptedProposer([[upright(0.1)], [upright(0.2)]])
    ea.synthesize(config(tmp_path, samples=1), proposer=silent, sandbox=sandbox)
    assert [leaked(CARTPOLE, prompt) for prompt in silent.prompts] == [set(), set()]
    human = config(tmp_path, run_name="human", samples=1, generations=1, initial_reward="human")
    ea.synthesize(human, proposer=told, sandbox=sandbox)
    lines = {"".join(line.replace('"', "'").split()) for line in CARTPOLE.human_reward.splitlines()}
    assert leaked(CARTPOLE, told.prompts[0])
    assert leaked(CARTPOLE, told.prompts[0]) <= lines
    assert "def fitness" not in user(told.prompts[0])


@pytest.mark.parametrize(
    "moment", ["TrainingStarted", "InitialRewardEvaluated", "CompletionReceived"]
)
def test_a_run_stopped_around_the_initial_reward_ends_the_same(
    tmp_path: Path, sandbox: Sandbox, moment: str
) -> None:
    """The file is deleted before the resume: its content is in the database."""
    file = tmp_path / "mine.py"
    file.write_text(code(upright(0.7)))
    settings = config(tmp_path, initial_reward=str(file), generations=1)
    whole = ea.synthesize(settings, proposer=ScriptedProposer(SCRIPT), sandbox=sandbox)

    def stop(event: Event) -> None:
        if type(event).__name__ == moment:
            raise StoppedError

    cut = config(tmp_path, initial_reward=str(file), generations=1, run_name="cut")
    with pytest.raises(StoppedError):
        ea.synthesize(cut, proposer=ScriptedProposer(SCRIPT), listener=stop, sandbox=sandbox)
    file.unlink()
    trained: list[str] = []

    def watch(event: Event) -> None:
        if isinstance(event, TrainingStarted):
            trained.extend(event.names)

    result = ea.resume(
        tmp_path / "cut", proposer=ScriptedProposer(SCRIPT), listener=watch, sandbox=sandbox
    )
    assert comparable(result.outcomes) == comparable(whole.outcomes)
    assert ("start" in trained) == (moment == "TrainingStarted")
    assert (result.path / "best_reward.py").read_text() == (
        whole.path / "best_reward.py"
    ).read_text()


def test_the_initial_reward_is_the_result_if_nothing_is_better(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(code(upright(0.7)))
    proposer = ScriptedProposer(lambda prompt, index: TRACEBACK)
    settings = config(tmp_path, initial_reward=str(file), samples=1, attempts=2, repairs=1)
    result = ea.synthesize(settings, proposer=proposer, sandbox=sandbox)
    assert result.best is not None
    assert result.best.candidate.name == "start"
    assert result.policy is not None
    assert (result.path / "best_reward.py").read_text().strip() == file.read_text().strip()
    assert "found nothing better than the reward that it started from" in shown(result.path)
    retry = next(p for p in proposer.prompts if p.repair == 0 and p.history[-1].failure)
    assert "IndexError" in user(retry)  # a second attempt shows the start, and what failed
    assert "(start)" in user(retry)


def test_an_own_instruction_starts_from_a_file(tmp_path: Path, sandbox: Sandbox) -> None:
    file = tmp_path / "mine.py"
    file.write_text(code(upright(0.7)))
    questions: list[ea.FeedbackRequest] = []

    def judge(question: ea.FeedbackRequest) -> ea.Feedback:
        questions.append(question)
        return ea.Feedback(
            question.generation, ("start", "g0c0") if question.generation == 0 else ()
        )

    instruction = config(
        tmp_path, task="wave the pole about", env="cartpole", samples=1, initial_reward=str(file)
    )
    proposer = ScriptedProposer([[upright(0.1)], [upright(0.2)]])
    result = ea.synthesize(instruction, proposer=proposer, judge=judge, sandbox=sandbox)
    assert [prompt.parents[0].candidate.name for prompt in proposer.prompts] == ["start", "start"]
    assert "fitness" not in user(proposer.prompts[0]).casefold()
    assert [outcome.candidate.name for outcome in questions[0].trained] == ["start", "g0c0"]
    assert ea.Policy.from_bytes(questions[0].policies["start"]).sizes == (4, 64, 64, 1)
    assert result.best is not None
    assert result.best.candidate.name == "start"


# ---------------------------------------------------------------- what cannot work
@pytest.mark.parametrize(
    ("args", "says"),
    [
        (
            ["--task", "cartpole", "--initial-reward", "human"],
            "--initial-reward needs a --model: the built-in grammar",
        ),
        (
            ["--task", "cartpole", "--initial-reward", "no.py", "--model", "m"],
            "Cannot read the reward file no.py",
        ),
        (
            ["--task", "wave", "--env", "cartpole", "--initial-reward", "human"],
            "give a file with a reward for the instruction",
        ),
        (
            ["--task", "cartpole", "--initial-reward", "human", "--strategy", "random"],
            "random builds on nothing",
        ),
        (["--task", "cartpole", "--initial-reward", " "], "--initial-reward is empty"),
    ],
)
def test_an_initial_reward_that_does_not_fit_the_settings_is_refused(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    says: str,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert main(["synthesize", *args, "--runs-dir", str(tmp_path / "runs")]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("source", "says"),
    [("import os\n", "not a valid reward function for cartpole"), (code(NAN), "NaN")],
)
def test_an_invalid_file_is_refused_before_anything_is_written(
    tmp_path: Path, sandbox: Sandbox, source: str, says: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(source)
    settings = config(tmp_path / "runs", initial_reward=str(file))
    with pytest.raises(RewardFileError, match=says):
        ea.synthesize(settings, proposer=ScriptedProposer(SCRIPT), sandbox=sandbox)
    assert not (tmp_path / "runs").exists()


def test_an_initial_reward_that_fails_in_training_stops_the_run(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """It fails in long episodes only: sample states are from the first half second."""
    file = tmp_path / "mine.py"
    file.write_text(
        "import torch\ndef compute_reward(episode_time):\n"
        "    x = -torch.log(0.54 - episode_time)\n    return x, {'x': x}\n"
    )
    settings = config(tmp_path, initial_reward=str(file), environment_steps=8192, repairs=1)
    with pytest.raises(UsageError, match=r"The search cannot start from .* NaN"):
        ea.synthesize(settings, proposer=ScriptedProposer(SCRIPT), sandbox=sandbox)


def test_the_initial_reward_is_announced_with_its_results(tmp_path: Path, sandbox: Sandbox) -> None:
    events: list[Event] = []
    settings = config(tmp_path, initial_reward="human", generations=1, samples=1)
    ea.synthesize(
        settings, proposer=ScriptedProposer(SCRIPT), listener=events.append, sandbox=sandbox
    )
    (measured,) = [event for event in events if isinstance(event, InitialRewardEvaluated)]
    assert measured.outcome.evaluation is not None
    assert measured.outcome.training is not None
    assert measured.outcome.training.components


def test_an_initial_reward_file_is_read_like_a_completion(tmp_path: Path, sandbox: Sandbox) -> None:
    file = tmp_path / "saved_answer.md"
    file.write_text(
        "Upright counts.\n\n```python\ndef compute_reward_v2(self) -> Tuple[Tensor, Dict[str,"
        " Tensor]]:\n    env = self.env\n    up = torch.cos(env.dof_pos[:, 1])\n    return up,"
        " {'up': up}\n```\n"
    )
    proposer = ScriptedProposer(lambda prompt, index: TRACEBACK)
    settings = config(tmp_path, initial_reward=str(file), samples=1, attempts=1, repairs=0)
    result = ea.synthesize(settings, proposer=proposer, sandbox=sandbox)
    written = (result.path / "best_reward.py").read_text()
    assert result.reward is not None
    assert written == result.reward.source
    assert written.startswith(
        "from typing import Dict, Tuple\nimport torch\nfrom torch import Tensor\n"
    )
    assert "def compute_reward(dof_pos)" in written


def test_an_invalid_initial_reward_is_refused_before_the_sandbox_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def compute_reward(pole_angel):\n    return pole_angel, {}\n")
    monkeypatch.setattr(
        "eureka_agent.api.run.sandbox_of", lambda *given: pytest.fail("the sandbox was opened")
    )
    with pytest.raises(RewardFileError, match="pole_angel"):
        ea.synthesize(config(tmp_path, initial_reward=str(file)), proposer=ScriptedProposer(SCRIPT))

"""The code judge in whole runs: its measure is written, accepted, frozen, and scores."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.cli.main import main
from eureka_agent.errors import JudgeError, RewardFileError, StoreError, UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.judges import factory
from eureka_agent.judges.scoring import episodes_seed
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import RewardSource
from eureka_agent.runs.store import Store
from tests.support.judged_runs import MEASURE, USAGE, ScriptedModel, run_config
from tests.support.openai_server import ChatServer, completion
from tests.support.rewards import upright
from tests.support.runs import config, shown

BAD = MEASURE.replace("/ 500.0", "")
CODE = MEASURE.partition("```python\n")[2].partition("```")[0]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], list[str]]:
    """Return a function that sets what the person says, and returns the code that is shown."""

    def says(accepted: bool) -> list[str]:
        seen: list[str] = []

        def accept(shown_code: str) -> bool:
            seen.append(shown_code)
            return accepted

        monkeypatch.setattr(factory, "accepted_at", lambda console: accept)
        return seen

    return says


def test_instruction_goes_to_its_end_with_a_measure_that_a_model_wrote(
    tmp_path: Path, sandbox: Sandbox, answer: Callable[[bool], list[str]]
) -> None:
    seen = answer(True)
    model = ScriptedModel(completion(BAD, usage=USAGE), completion(MEASURE, usage=USAGE))
    with ChatServer() as server:
        server.default = model
        result = ea.synthesize(run_config(tmp_path, server, judge="code"), sandbox=sandbox)

    assert seen == [CODE]
    first, second = model.asked
    assert "keep the pole straight up" in first["messages"][0]["content"]
    assert "Random actions already reach 1.00 of 1" in second["messages"][-1]["content"]
    assert result.best is not None
    with Store.open(tmp_path / "run" / "run.db", writable=False) as store:
        feedback = store.feedback()
        measure = store.measure
        answers = store.judge_answers()
    assert measure is not None
    assert "def compute_reward(dof_pos" in measure.code
    assert [(each.about, each.question) for each in answers] == [("measure", 0), ("measure", 1)]
    for generation, judged in feedback.items():
        scores = {name: score.value for name, score in judged.scores.items()}
        assert {f"g{generation}c0", f"g{generation}c1"} <= scores.keys()
        assert all(0.0 <= value <= 1.0 for value in scores.values())
        assert list(judged.ranking) == sorted(judged.ranking, key=lambda name: -scores[name])
    assert feedback[0].ranking[0] in feedback[1].scores
    assert result.best.candidate.name == feedback[1].ranking[0]
    assert (tmp_path / "run" / "measure.py").read_text() == measure.code
    page = shown(tmp_path / "run")
    assert "Judge     a success measure (measure.py)" in page
    assert "16 episodes, scored by the success measure." in page
    assert "The measure that scores every candidate" in (tmp_path / "run/report.html").read_text()


def test_the_scores_reach_the_next_prompt(tmp_path: Path, sandbox: Sandbox) -> None:
    proposer = ScriptedProposer(
        lambda prompt, index: MEASURE if prompt.generation < 0 else upright((index + 1) / 10.0)
    )
    settings = config(
        tmp_path, env="cartpole", task="stand", end="task", judge="code", yes=True, samples=2
    )
    ea.synthesize(settings, proposer=proposer, sandbox=sandbox)

    text = proposer.prompts[-1].messages[-1].content
    assert "# Scores of the behaviour" in text
    assert "- Generation 0: g0c" in text
    assert "A person looked" not in text
    assert "torch.exp(-8.0" not in text  # the measure itself stays hidden


def test_measure_survives_a_resume_and_nobody_is_asked_again(
    tmp_path: Path, sandbox: Sandbox, answer: Callable[[bool], list[str]]
) -> None:
    seen = answer(True)
    model = ScriptedModel(completion(MEASURE, usage=USAGE))
    with ChatServer() as server:
        server.default = model
        settings = run_config(tmp_path, server, judge="code", generations=1)
        ea.synthesize(settings, sandbox=sandbox)
        resumed = ea.resume(tmp_path / "run", changes=ea.Changes(generations=2), sandbox=sandbox)
    assert len(seen) == len(model.asked) == 1
    assert len(resumed.outcomes) == 4


def test_measure_that_is_not_accepted_ends_the_run_before_any_training(
    tmp_path: Path, sandbox: Sandbox, answer: Callable[[bool], list[str]]
) -> None:
    answer(False)
    model = ScriptedModel(completion(MEASURE, usage=USAGE))
    with ChatServer() as server:
        server.default = model
        with pytest.raises(UsageError, match="not accepted, so nothing was trained"):
            ea.synthesize(run_config(tmp_path, server, judge="code"), sandbox=sandbox)
    assert model.rewards == 0
    with Store.open(tmp_path / "run" / "run.db", writable=False) as store:
        assert store.measure is None


def test_model_that_writes_no_usable_measure_is_asked_three_times(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    model = ScriptedModel(completion("I cannot do that.", usage=USAGE))
    with ChatServer() as server:
        server.default = model
        with pytest.raises(
            JudgeError, match=r"no usable success measure in 3 answers; .*--measure"
        ):
            ea.synthesize(run_config(tmp_path, server, judge="code", yes=True), sandbox=sandbox)
    assert len(model.asked) == 3


def test_stored_measure_is_checked_again(tmp_path: Path, sandbox: Sandbox) -> None:
    proposer = ScriptedProposer(
        lambda prompt, index: MEASURE if prompt.generation < 0 else upright((index + 1) / 10.0)
    )
    settings = config(
        tmp_path, env="cartpole", task="stand", judge="code", yes=True, samples=1, generations=1
    )
    ea.synthesize(settings, proposer=proposer, sandbox=sandbox)
    with Store.open(tmp_path / "run" / "run.db") as store:
        hostile = "import os\n\ndef compute_reward(dof_pos):\n    return dof_pos[:, 0]\n"
        store.save_measure(RewardSource(hostile, ("dof_pos",)))
    with pytest.raises(StoreError, match="success measure that does not pass the checks"):
        ea.resume(tmp_path / "run", proposer=proposer, sandbox=sandbox)


def test_grammar_takes_a_measure_from_a_file(tmp_path: Path, sandbox: Sandbox) -> None:
    path = tmp_path / "mine.py"
    path.write_text(CODE)
    settings = config(
        tmp_path, env="cartpole", task="stand", judge="code", measure=path, samples=2, generations=1
    )
    result = ea.synthesize(settings, sandbox=sandbox)
    assert result.best is not None


def test_file_with_a_bad_measure_is_refused_with_the_reason(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(CODE.replace("/ 500.0", "/ 2.0"))
    settings = config(tmp_path, env="cartpole", task="stand", judge="code", measure=path)
    with pytest.raises(RewardFileError, match=r"mine\.py is not a usable measure: Random actions"):
        ea.synthesize(settings, sandbox=sandbox)
    assert not (tmp_path / "run").exists()


def test_measure_file_that_only_a_run_folder_names_is_never_read(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    secret = tmp_path / "secret"
    settings = config(tmp_path, env="cartpole", task="stand", judge="code", measure=secret)
    (tmp_path / "run").mkdir()
    with Store.create(tmp_path / "run" / "run.db", settings):
        pass
    with pytest.raises(UsageError, match="a file that only a run's folder names is never read"):
        ea.resume(tmp_path / "run", sandbox=sandbox)


def test_grammar_cannot_write_a_measure(tmp_path: Path) -> None:
    settings = config(tmp_path, env="cartpole", task="stand", judge="code")
    with pytest.raises(UsageError, match="the built-in grammar cannot: name a --model"):
        ea.synthesize(settings)
    assert not (tmp_path / "run").exists()


def test_episodes_of_a_judge_are_new_in_every_generation() -> None:
    seeds = {episodes_seed(0, generation) for generation in range(5)}
    assert len(seeds) == 5
    assert 0 not in seeds


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("no\n", 2), ("", 2)])
def test_person_accepts_the_measure_on_the_command_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    code: int,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with ChatServer() as server:
        server.default = ScriptedModel(completion(MEASURE, usage=USAGE))
        options = (
            f"--env cartpole --judge code --model test-model --base-url {server.base_url} --quick"
            f" --num-envs 8 --environment-steps 512 --generations 1 --samples 1 --seeds 1"
            f" --runs-dir {tmp_path} --run-name run"
        )
        assert main(["synthesize", "--task", "stand up", *options.split()]) == code
    output = capsys.readouterr().out
    assert "def measure(dof_pos: Tensor)" in output
    assert ("Score of g0c0: " in output) == (code == 0)

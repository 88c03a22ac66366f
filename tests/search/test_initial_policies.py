"""A search whose trainings start from policies: of parents, or of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import eureka_agent as ea
from eureka_agent.cli.main import main
from eureka_agent.errors import StoreError, UsageError
from eureka_agent.executors import LocalExecutor
from eureka_agent.executors.base import OnProgress
from eureka_agent.executors.local import LocalJob
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.report import run_report, summary
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import Event, SeedTrained
from eureka_agent.search.initial_policies import INITIAL_POLICY
from eureka_agent.search.loop import Search
from eureka_agent.tasks.registry import load_task
from eureka_agent.training import Policy, TrainingJob
from eureka_agent.training.budgets import training_budget
from eureka_agent.training.initial_policy import policy_from_text
from tests.support.rewards import upright
from tests.support.runs import StoppedError, comparable, config, shown

SCRIPT = [[upright(0.1), upright(0.2)], [upright(0.3), upright(0.4)]]


class RecordingExecutor(LocalExecutor):
    """Runs jobs here and keeps what each reward started from."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox=sandbox)
        self.starts: list[dict[str, str | None]] = []

    def submit(self, job: TrainingJob, on_progress: OnProgress | None = None) -> LocalJob:
        """See `Executor.submit`."""
        self.starts.append({each.name: each.initial_policy for each in job.rewards})
        return super().submit(job, on_progress)


def settings(tmp_path: Path, **changes: object) -> ea.SynthesisConfig:
    return config(tmp_path, samples=2, init_policy="parent", **changes)


def policy_of(path: Path, generation: int, index: int) -> bytes | None:
    with Store.open(RunDir(path).database, writable=False) as store:
        return store.policy(generation, index)


def saved_policy(tmp_path: Path, *sizes: int) -> Path:
    path = tmp_path / "mine.safetensors"
    Policy(sizes or (4, 64, 64, 1)).save(path)
    return path


def test_candidates_start_from_their_parents_policy_and_references_do_not(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    wanted = settings(tmp_path, baselines=True, final_seeds=1)
    folder = RunDir(tmp_path / "run")
    folder.path.mkdir()
    executor = RecordingExecutor(sandbox)
    task = load_task("cartpole")
    with Store.create(folder.database, wanted) as store:
        budget = training_budget(wanted, task)
        evaluator = Evaluator(task, budget, sandbox, seed=0, executor=executor)
        search = Search(store, ScriptedProposer(SCRIPT), evaluator, lambda event: None)
        for _ in search.run():
            pass
        parent = store.prompts(1)[0].parents[0]
        index = int(parent.removeprefix("g0c"))
        stored = store.policy(0, index)
    references, first, second, final = executor.starts
    final = {name.removesuffix(" final seed 1"): start for name, start in final.items()}
    assert set(references.values()) == {None}
    assert first == {"g0c0": None, "g0c1": None}
    starts = [policy_from_text(text or "").to_bytes() for text in second.values()]
    assert starts == [stored, stored]
    assert search.best is not None
    expected = None if search.best.candidate.generation == 0 else second["g1c0"]
    assert final[search.best.candidate.name] == expected
    assert {final["human reward"], final["sparse reward"]} == {None}


@pytest.mark.slow
@pytest.mark.parametrize("moment", [1, 2])
def test_run_that_was_stopped_between_seeds_ends_as_the_whole_one(
    tmp_path: Path, sandbox: Sandbox, moment: int
) -> None:
    whole = ea.synthesize(
        settings(tmp_path, seeds=2, run_name="whole"),
        proposer=ScriptedProposer(SCRIPT),
        sandbox=sandbox,
    )
    seen: list[Event] = []

    def stop(event: Event) -> None:
        seen.extend([event] if isinstance(event, SeedTrained) else [])
        if len(seen) == moment:
            raise StoppedError

    wanted, script = settings(tmp_path, seeds=2, run_name="cut"), ScriptedProposer(SCRIPT)
    with pytest.raises(StoppedError):
        ea.synthesize(wanted, proposer=script, listener=stop, sandbox=sandbox)
    resumed = ea.resume(tmp_path / "cut", proposer=script, sandbox=sandbox)
    results = [outcome.fitness_by_seed for outcome in resumed.outcomes]
    assert results == [outcome.fitness_by_seed for outcome in whole.outcomes]
    for outcome in whole.outcomes:
        place = (outcome.candidate.generation, outcome.candidate.index)
        assert policy_of(tmp_path / "cut", *place) == policy_of(tmp_path / "whole", *place)


def test_file_is_read_once_and_reports_say_so(tmp_path: Path, sandbox: Sandbox) -> None:
    path = saved_policy(tmp_path)
    wanted = config(tmp_path, samples=2, generations=1, init_policy=str(path))
    result = ea.synthesize(wanted, proposer=ScriptedProposer(SCRIPT[:1]), sandbox=sandbox)
    stored = path.read_bytes()
    path.unlink()
    with Store.open(RunDir(result.path).database) as store:
        assert policy_from_text(store.metadata(INITIAL_POLICY) or "").to_bytes() == stored
        assert INITIAL_POLICY not in store.facts()
        assert summary(run_report(store))["init_policy"] == str(path)
    text = " ".join(shown(result.path).split())
    assert f"starts from the policy in {path} (--init-policy), so its fitness includes" in text
    again = ea.resume(result.path, proposer=ScriptedProposer(SCRIPT[:1]), sandbox=sandbox)
    assert comparable(again.outcomes) == comparable(result.outcomes)


def test_resumed_run_without_its_policy_is_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    """The folder names a file, which a resume does not read."""
    path = saved_policy(tmp_path)
    wanted = config(tmp_path, samples=2, generations=1, init_policy=str(path))
    folder = RunDir(tmp_path / "run")
    (folder.path / "prompts").mkdir(parents=True)
    (folder.path / "completions").mkdir()
    Store.create(folder.database, wanted).close()
    with pytest.raises(StoreError, match="stopped before its initial policy"):
        ea.resume(folder.path, proposer=ScriptedProposer(SCRIPT[:1]), sandbox=sandbox)


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ((9, 64, 64, 1), "has observations of 9, hidden layers 64 x 64 and actions of 1 numbers"),
        ((4, 8, 1), "but this training has observations of 4, hidden layers 64 x 64"),
    ],
)
def test_policy_of_other_sizes_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sizes: tuple[int, ...], says: str
) -> None:
    path = saved_policy(tmp_path, *sizes)
    given = ["--init-policy", str(path), "--runs-dir", str(tmp_path / "runs")]
    assert main(["synthesize", "--task", "cartpole", *given]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "runs").exists()


def test_file_that_is_no_policy_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"\xff" * 100)
    assert main(["synthesize", "--task", "cartpole", "--init-policy", str(path)]) == 2
    assert "is not a policy file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"init_policy": " "}, "--init-policy is empty"),
        ({"init_policy": "parent", "trainer": "sb3"}, "needs --trainer population: sb3 starts"),
        ({"init_policy": "parent", "strategy": "random"}, "random builds on nothing"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ea.SynthesisConfig.of("cartpole", **changes)

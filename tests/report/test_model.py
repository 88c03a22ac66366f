"""The report of a real small run has the figures that its database holds."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.report import RunReport, run_report
from eureka_agent.runs.store import Store
from tests.support.rewards import NO_CODE, upright
from tests.support.runs import config
from tests.support.stored_run import stored_run

SCRIPT = [[upright(0.1), NO_CODE, upright(0.2)], [upright(0.3), upright(0.1), upright(0.4)]]
"""Sample 1 of generation 1 computes the same as sample 0 of generation 0."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    settings = config(folder, baselines=True, final_seeds=1, initial_reward="human")
    with Sandbox() as sandbox:
        ea.synthesize(settings, proposer=ScriptedProposer(SCRIPT), sandbox=sandbox)
    return folder / "run"


@pytest.fixture(scope="module")
def report(path: Path) -> RunReport:
    with Store.open(path / "run.db", writable=False) as store:
        return run_report(store)


def test_the_report_names_the_run_its_task_and_its_settings(report: RunReport, path: Path) -> None:
    assert (report.name, report.path) == ("run", path)
    assert (report.task.name, report.task.has_fitness) == ("cartpole", True)
    with Store.open(path / "run.db", writable=False) as store:
        assert report.task.instruction == store.task.description
        assert report.fitness_unit == store.task.fitness_unit
        assert report.protocol.environment_steps == store.task.budget.environment_steps
    assert (report.protocol.generations, report.protocol.samples) == (2, 3)
    assert (report.protocol.num_envs, report.protocol.seed) == (8, 0)
    assert report.protocol.initial_reward == "human"
    assert report.protocol.models == ()
    assert report.changes == ()


def test_the_report_says_what_the_run_ran_on(report: RunReport) -> None:
    assert report.sandbox_level == "full"
    assert report.sandbox is not None
    assert "seccomp" in report.sandbox.held
    assert report.sandbox.level == "full"
    assert report.versions["python"] == platform.python_version()
    assert {"mujoco", "torch"} <= report.versions.keys()


def test_the_generations_hold_every_candidate_of_the_store(report: RunReport, path: Path) -> None:
    assert [generation.index for generation in report.generations] == [-1, 0, 1]
    with Store.open(path / "run.db", writable=False) as store:
        outcomes, answers = store.outcomes(), store.answers()
        assert report.outcomes == tuple(outcomes)
        assert {name: each.completion for name, each in report.candidates.items()} == answers
    for generation in report.generations:
        expected = [o for o in outcomes if o.candidate.generation == generation.index]
        assert list(generation.outcomes) == expected
        assert generation.best is max(generation.outcomes, key=lambda outcome: outcome.fitness)
    failed, duplicate = report.candidates["g0c1"], report.candidates["g1c1"]
    assert failed.outcome is not None
    assert failed.outcome.failure is not None
    assert not failed.passed_checks
    assert duplicate.outcome is not None
    assert duplicate.outcome.duplicate_of == "g0c0"
    assert report.finished_generations == 2


def test_the_lineage_follows_the_parents_of_the_prompts(report: RunReport, path: Path) -> None:
    with Store.open(path / "run.db", writable=False) as store:
        first, second = store.prompts(0)[0], store.prompts(1)[0]
    assert report.generations[1].parents == first.parents == ("start",)
    assert report.generations[2].parents == second.parents
    assert report.candidates["g1c2"].parents == second.parents
    assert report.ancestors("g1c2")[-2:] == (second.parents[0], "g1c2")
    assert report.ancestors("g0c2") == ("start", "g0c2")
    best = report.result.best
    assert best is not None
    assert report.lineage == report.ancestors(best.candidate.name)
    assert report.initial == report.generations[0].outcomes[0]


def test_the_result_is_compared_with_the_references(report: RunReport, path: Path) -> None:
    result = report.result
    with Store.open(path / "run.db", writable=False) as store:
        assert list(result.baselines) == store.baselines()
        assert list(result.final_seeds) == store.finals()
    best = max(report.outcomes, key=lambda outcome: outcome.fitness)
    assert result.best == best
    human, sparse, random = (baseline.evaluation for baseline in result.baselines)
    assert human.fitness_low <= human.fitness <= human.fitness_high
    assert random.episodes == report.protocol.evaluation_episodes
    if result.human_normalised is not None:  # None if the two are alike after so little training
        span = abs(human.fitness - sparse.fitness)
        score = (best.fitness - sparse.fitness) / span
        assert result.human_normalised == pytest.approx(score)
    assert result.reevaluation is not None
    assert result.reevaluation.seeds == 1
    assert result.reevaluation.best.value == result.final_seeds[0].best.evaluation.fitness


def test_the_effort_counts_every_training_once(report: RunReport, path: Path) -> None:
    steps = report.protocol.environment_steps
    # The initial reward, four candidates (one failed, one is a duplicate), the human and the
    # sparse reward; with the final seed the best, the human and the sparse reward.
    assert report.effort.environment_steps == (1 + 4 + 2 + 3) * steps
    with Store.open(path / "run.db", writable=False) as store:
        assert report.effort.seconds == store.seconds > 0.0
        assert report.effort.started == store.metadata("started")
        assert report.effort.finished == store.metadata("finished")
    assert report.finished
    assert report.stopped is None
    assert (report.effort.cost.usd, report.effort.cost.unpriced) == (0.0, 0)


def test_an_interrupted_run_has_candidates_without_an_outcome(tmp_path: Path) -> None:
    run = stored_run(tmp_path / "half", finished=False)
    with Store.open(run.database, writable=False) as store:
        report = run_report(store)
    checked, proposed = report.generations[1].candidates
    assert (checked.outcome, checked.passed_checks) == (None, True)
    assert (proposed.outcome, proposed.passed_checks) == (None, False)
    assert not report.finished
    assert report.finished_generations == 1
    assert report.versions == {}
    assert report.effort.cost.usd == 1.0
    assert report.effort.environment_steps == 3 * stored_steps(report)


def stored_steps(report: RunReport) -> int:
    """Return the steps of the one training in the hand-written run, as of its baselines."""
    training = report.outcomes[0].training
    assert training is not None
    return training.environment_steps

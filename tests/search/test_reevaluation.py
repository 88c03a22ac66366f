"""Trainings of the best reward with other seeds: stored one by one, scored together."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import eureka_agent as ea
from eureka_agent.api.preparation import RunOverrides
from eureka_agent.cli.presets import written_out
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.records import (
    Curve,
    Evaluation,
    ReevaluationResult,
    ReevaluationSeed,
    TrainingRecord,
)
from eureka_agent.runs.changes import Changes
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.search.events import (
    Event,
    SeedReevaluated,
    TrainingProgress,
    TrainingStarted,
)
from eureka_agent.search.reevaluation import reevaluation_summary
from tests.support.rewards import upright


def training(fitness: float, peak: float) -> ReevaluationResult:
    curve = Curve("fitness", (peak - 1.0, peak, math.nan), peak, peak, peak)
    return ReevaluationResult(
        training=TrainingRecord(10, 1.0, curve, (), curve, curve),
        evaluation=Evaluation(fitness, fitness, fitness, 1, 1.0),
    )


def test_final_scores_by_hand() -> None:
    """Best 1, 2, 3, 4, 90: the middle three are 2, 3 and 4. Human 2, sparse 1: (3 - 1) / 1 = 2.
    Peaks: 100 / 5 + 1."""
    values = (1.0, 2.0, 3.0, 4.0, 90.0)
    finals = [
        ReevaluationSeed(k, training(v, v + 1.0), training(2.0, 3.0), training(1.0, 1.0))
        for k, v in enumerate(values)
    ]
    scores = reevaluation_summary(finals)
    assert scores is not None
    assert {name: score.value for name, score in scores.rows.items()} == {
        "best": 3.0,
        "human": 2.0,
        "sparse": 1.0,
    }
    assert scores.checkpoints == (21.0, 3.0, 1.0)
    assert (scores.human_normalised, scores.clipped) == (2.0, 2.0)
    far = reevaluation_summary([replace(final, best=training(9.0, 9.0)) for final in finals])
    assert far is not None
    assert (far.human_normalised, far.clipped) == (8.0, 3.0)
    assert reevaluation_summary([]) is None


class StoppedError(Exception):
    """Raised by a listener, in place of Ctrl-C."""


def test_finals_are_measured_once_each(tmp_path: Path, sandbox: Sandbox) -> None:
    """A finished run that gets more final seeds trains these alone, together; no training of the
    search has their seeds."""
    config = ea.SynthesisConfig.of(
        task="cartpole",
        budget="quick",
        generations=1,
        samples=2,
        seeds=1,
        num_envs=8,
        environment_steps=512,
        baselines=False,
        final_seeds=1,
        runs_dir=tmp_path,
        run_name="run",
    )
    proposer = ScriptedProposer([[upright(0.1), upright(0.2)]])
    ea.synthesize(config, proposer=proposer, sandbox=sandbox)

    def stop(event: Event) -> None:
        if isinstance(event, TrainingProgress):
            raise StoppedError

    more = Changes(final_seeds=3)
    proposer = ScriptedProposer([])
    with pytest.raises(StoppedError):
        ea.resume(tmp_path / "run", changes=more, proposer=proposer, sandbox=sandbox, listener=stop)
    measured: list[int] = []
    trained: list[tuple[str, ...]] = []

    def listen(event: Event) -> None:
        if isinstance(event, SeedReevaluated):
            measured.append(event.number)
        if isinstance(event, TrainingStarted):
            trained.append(event.names)

    ea.resume(tmp_path / "run", proposer=proposer, sandbox=sandbox, listener=listen)
    assert measured == [2, 3]
    ((*names,),) = trained
    assert [name.removeprefix("g0c0 ").removeprefix("g0c1 ") for name in names] == [
        "final seed 2",
        "final seed 3",
        "human reward final seed 2",
        "human reward final seed 3",
        "sparse reward final seed 2",
        "sparse reward final seed 3",
    ]
    with Store.open(RunDir(tmp_path / "run").database, writable=False) as store:
        finals = store.finals()
        seeds = [final.seed for final in finals]
        assert len({config.search.seed, *seeds}) == 4
        each = store.outcomes()[0].training
        assert each is not None
        for final in finals:
            assert final.human is not None
            assert final.best.environment_steps == each.environment_steps
            assert final.human.environment_steps == each.environment_steps
    final = json.loads((tmp_path / "run" / "summary.json").read_text())["final"]
    assert final["seeds"] == 3
    assert final["best"]["low"] <= final["best"]["fitness"] <= final["best"]["high"]
    steps = json.loads((tmp_path / "run" / "summary.json").read_text())["environment_steps"]
    # Two rewards, and three trainings for each of three seeds.
    assert steps == (2 + 3 * 3) * each.environment_steps


def test_a_protocol_stands_for_its_options() -> None:
    given = ["--task", "cartpole", "--protocol", "matched", "--samples", "4"]
    options = "--generations 5 --samples 16 --seeds 1 --final-seeds 5"
    assert written_out(given) == [*options.split(), *given]
    assert written_out(["--protocol=eureka"])[:2] == ["--generations", "25"]
    assert written_out(["--quick"]) == ["--budget", "quick", "--quick"]
    with pytest.raises(UsageError, match="no protocol 'paper': choose one of eureka, matched"):
        written_out(["--protocol", "paper"])


def test_a_protocol_in_python_sets_what_is_not_given() -> None:
    config = ea.SynthesisConfig.of("cartpole", protocol="eureka", samples=4)
    assert (config.search.generations, config.search.samples) == (25, 4)
    assert (config.search.strategy, config.training.budget) == ("restarts:5", "paper")


def test_an_instruction_without_fitness_has_no_final_trainings() -> None:
    with pytest.raises(UsageError, match="needs a fitness"):
        ea.SynthesisConfig.of(task="wave", env="cartpole", final_seeds=5)


@pytest.mark.parametrize("seeds", [0, 1])
def test_no_final_training_starts_when_the_time_is_over(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, seeds: int
) -> None:
    """It is over at the start, or after the first of two final seeds.

    With 256 environments each seed is a training of its own.
    """
    config = ea.SynthesisConfig.of(
        task="cartpole",
        budget="quick",
        generations=1,
        samples=1,
        num_envs=256,
        environment_steps=16_384,
        baselines=False,
        final_seeds=2,
        max_wall_min=60.0 if seeds else 1e-6,
        runs_dir=tmp_path,
        run_name="run",
    )

    def stop_the_clock(event: Event) -> None:
        if isinstance(event, SeedReevaluated):
            monkeypatch.setattr(
                "eureka_agent.search.time_limit.time", SimpleNamespace(monotonic=lambda: 1e9)
            )

    given: RunOverrides = {
        "proposer": ScriptedProposer([[upright(0.1)]]),
        "listener": stop_the_clock,
        "sandbox": sandbox,
    }
    result = ea.synthesize(config, **given)
    assert result.best is not None
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["final"]["seeds"] if seeds else summary["final"]) == (seeds or None)
    assert "--max-wall-min" in summary["stopped"]

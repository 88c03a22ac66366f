"""A whole run at `--sandbox static-checks` without Linux's calls, and the refusal without it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import eureka_agent as ea
from eureka_agent.cli.main import synthesize_main
from eureka_agent.proposers.scripted import ScriptedProposer
from eureka_agent.report.announcements import sandbox_line
from eureka_agent.search.events import Event, RunStarted
from tests.support.rewards import TRACEBACK, upright
from tests.support.without_linux import without_linux

_HELD = {"static checks", "own process", "processor limit", "descriptor limit"}


@pytest.mark.slow
def test_a_run_prints_and_stores_the_layers_that_hold(tmp_path: Path) -> None:
    events: list[Event] = []
    config = ea.SynthesisConfig.of(
        task="cartpole",
        generations=1,
        samples=2,
        num_envs=8,
        environment_steps=512,
        baselines=False,
        sandbox="static-checks",
        runs_dir=tmp_path,
        run_name="run",
    )
    with without_linux(tmp_path):
        proposer = ScriptedProposer([[upright(0.1), TRACEBACK]])
        result = ea.synthesize(config, proposer=proposer, listener=events.append)
        assert result.reward is not None
        with result.reward as reward:  # at the level of the run
            value, _ = reward(dof_pos=torch.zeros(3, 2), dof_vel=torch.zeros(3, 2))
            assert value.tolist() == [1.0, 1.0, 1.0]
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert sandbox_line(started.sandbox).startswith("NOT SEALED")
    assert all(set(outcome.sandbox) >= _HELD for outcome in result.outcomes)
    assert not any("seccomp" in outcome.sandbox for outcome in result.outcomes)
    assert result.best is not None
    assert result.outcomes[1].failure is not None
    assert "IndexError on line" in result.outcomes[1].failure.message


def test_without_the_option_the_run_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with without_linux(tmp_path):
        code = synthesize_main(
            ["--task", "cartpole", "--quick", "--runs-dir", str(tmp_path / "runs")]
        )
    assert code == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "macOS has none of them" in error
    assert "--sandbox static-checks" in error
    assert not (tmp_path / "runs").exists()

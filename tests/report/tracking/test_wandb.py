"""Runs on disk, without a server and without a key."""

from __future__ import annotations

from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.errors import UsageError
from eureka_agent.jail import Sandbox
from eureka_agent.report.tracking.factory import make_trackers
from eureka_agent.runs.directory import RunDir
from eureka_agent.search.events import Event, TrackingFailed
from tests.support import runs
from tests.support.wandb_files import wandb_runs

wandb = pytest.importorskip("wandb")
pytestmark = pytest.mark.slow  # its service process takes a second to start


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take nothing from the user's settings, and leave nothing there."""
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_search_is_a_group_of_runs_with_components_results_and_code(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    shown: list[Event] = []
    config = runs.config(tmp_path, generations=1, log=("wandb",))
    result = ea.synthesize(config, sandbox=sandbox, listener=shown.append)
    assert not [event for event in shown if isinstance(event, TrackingFailed)]
    found = wandb_runs(tmp_path)
    assert {(run.group, run.kind) for run in found.values()} == {
        ("run", "search"),
        ("run", "training"),
    }
    assert result.best is not None
    assert result.best.training is not None
    best = found[result.best.candidate.name]
    assert best.summary["result/fitness"] == pytest.approx(result.best.fitness)
    assert best.config["training"] == best.name
    assert best.config["task"] == "cartpole"
    tags = {f"components/{curve.name}" for curve in result.best.training.components}
    assert tags <= set(best.history[0])
    steps = [point["environment_steps"] for point in best.history]
    assert steps == sorted(set(steps))
    assert steps[-1] == result.best.training.environment_steps
    search = found["run"]
    assert search.summary["best"] == best.name
    assert search.summary["report"] == (tmp_path / "run" / "report.html").as_uri()
    assert search.artifacts == [("reward", "best-reward-run")]
    assert {run.exit_code for run in found.values()} == {0}


def test_folder_of_the_run_stays_free_of_links(tmp_path: Path, sandbox: Sandbox) -> None:
    config = runs.config(tmp_path, generations=1, samples=1, log=("wandb",))
    ea.synthesize(config, sandbox=sandbox)
    again = ea.resume(tmp_path / "run", sandbox=sandbox)  # it refuses a folder with links
    assert again.best is not None
    assert [run.name for run in RunDir.all_in(tmp_path)] == ["run"]


def test_online_mode_without_a_key_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    wandb.teardown()  # it has read the variables once
    with pytest.raises(UsageError, match="needs a key: run `wandb login` once, or leave WANDB_MOD"):
        make_trackers(["wandb"])
    wandb.teardown()
    assert not list(tmp_path.glob("wandb"))

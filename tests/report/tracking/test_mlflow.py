"""Runs in a local folder, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

import eureka_agent as ea
from eureka_agent.jail import Sandbox
from eureka_agent.search.events import Event, TrackingFailed
from tests.support import runs

pytest.importorskip("mlflow")


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


def searched(tmp_path: Path, sandbox: Sandbox) -> tuple[ea.SynthesisResult, list[Event]]:
    shown: list[Event] = []
    config = runs.config(tmp_path, generations=1, log=("mlflow",))
    return ea.synthesize(config, sandbox=sandbox, listener=shown.append), shown


@pytest.mark.slow
def test_search_is_a_parent_run_with_components_results_and_code(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    from mlflow.tracking import MlflowClient

    result, shown = searched(tmp_path, sandbox)
    assert not [event for event in shown if isinstance(event, TrackingFailed)]
    client = MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
    experiment = client.get_experiment_by_name("eureka_agent")
    assert experiment is not None
    found = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    search = found.pop("run")
    assert {run.data.tags["mlflow.parentRunId"] for run in found.values()} == {search.info.run_id}
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert result.best is not None
    assert result.best.training is not None
    best = found[result.best.candidate.name]
    assert best.data.metrics["result/fitness"] == pytest.approx(result.best.fitness)
    for curve in result.best.training.components:
        points = client.get_metric_history(best.info.run_id, f"components/{curve.name}")
        assert [point.step for point in points][-1] == result.best.training.environment_steps
    assert search.data.params["task"] == "cartpole"
    assert search.data.tags["best"] == best.info.run_name
    assert search.data.tags["report"] == (tmp_path / "run" / "report.html").as_uri()
    assert [file.path for file in client.list_artifacts(search.info.run_id)] == ["best_reward.py"]


@pytest.mark.slow
def test_resume_can_add_a_tracker(tmp_path: Path, sandbox: Sandbox) -> None:
    from mlflow.tracking import MlflowClient

    first = ea.synthesize(runs.config(tmp_path, generations=1, samples=1), sandbox=sandbox)
    assert not (tmp_path / "mlruns").exists()
    ea.resume(first.path, changes=ea.Changes(log=("mlflow",)), sandbox=sandbox)
    client = MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
    experiment = client.get_experiment_by_name("eureka_agent")
    assert experiment is not None
    (search,) = client.search_runs([experiment.experiment_id])
    assert search.data.params["resumed"] == "True"
    assert first.best is not None
    assert search.data.tags["best"] == first.best.candidate.name


@pytest.mark.slow
def test_address_that_cannot_work_is_reported_once_and_the_search_ends_well(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "gopher://nowhere")
    result, shown = searched(tmp_path, sandbox)
    assert result.best is not None
    (failure,) = [event for event in shown if isinstance(event, TrackingFailed)]
    assert failure.tracker == "mlflow"
    assert "gopher" in failure.reason
    assert not (tmp_path / "mlruns").exists()

"""Curves and results in MLflow (the extra `mlflow`).

A search is a parent run with the result; each training is a run below it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from eureka_agent.report.tracking.tracker import SearchInfo, SearchResult

_EXPERIMENT = "eureka_agent"
_FILE_STORE = "MLFLOW_ALLOW_FILE_STORE"
"""MLflow has frozen its store of plain files and asks for a consent; its databases need packages
that the extra does not bring."""


class MlflowTracker:
    """Writes runs to `mlruns/` next to the run's folder, or to where MLFLOW_TRACKING_URI says.

    MLFLOW_EXPERIMENT_NAME holds as well.
    """

    def __init__(self) -> None:
        self._client: MlflowClient | None = None
        self._experiment = ""
        self._search_run = ""
        self._runs: dict[str, str] = {}

    def open_search(self, search: SearchInfo) -> None:
        """See `Tracker.open_search`."""
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            uri = (search.folder.resolve().parent / "mlruns").as_uri()
            os.environ.setdefault(_FILE_STORE, "true")
        self._client = MlflowClient(tracking_uri=uri)
        self._experiment = self._experiment_id()
        self._search_run = self._create(search.name, {})
        params = [Param(name, str(value)) for name, value in search.settings.items()]
        self._connected.log_batch(self._search_run, params=params)

    def open_training(self, name: str) -> None:
        """See `Tracker.open_training`; a training that starts over has a second run."""
        self._runs[name] = self._create(name, {MLFLOW_PARENT_RUN_ID: self._search_run})

    def log(self, name: str, numbers: Mapping[str, float], environment_steps: int) -> None:
        """See `Tracker.log`."""
        self._log(self._runs[name], numbers, environment_steps)

    def close_training(self, name: str, results: Mapping[str, float] | None) -> None:
        """See `Tracker.close_training`; a run without results is marked as failed."""
        run = self._runs.pop(name)
        self._log(run, results or {}, 0)
        self._connected.set_terminated(run, "FAILED" if results is None else "FINISHED")

    def close_search(self, result: SearchResult | None) -> None:
        """See `Tracker.close_search`; the best reward's code becomes an artifact."""
        run = self._search_run
        if result is not None:
            self._log(run, result.numbers, 0)
            self._connected.set_tag(run, "best", result.best or "")
            self._connected.set_tag(run, "report", result.report)
            if result.best_reward is not None:
                self._connected.log_artifact(run, str(result.best_reward))
        self._connected.set_terminated(run, "KILLED" if result is None else "FINISHED")

    @property
    def _connected(self) -> MlflowClient:
        assert self._client is not None  # the search is opened first
        return self._client

    def _create(self, name: str, tags: Mapping[str, str]) -> str:
        """Create a run; return its id."""
        run = self._connected.create_run(self._experiment, run_name=name, tags=dict(tags))
        return str(run.info.run_id)

    def _log(self, run: str, numbers: Mapping[str, float], step: int) -> None:
        now = time.time_ns() // 1_000_000
        metrics = [Metric(tag, value, now, step) for tag, value in numbers.items()]
        if metrics:
            self._connected.log_batch(run, metrics=metrics)

    def _experiment_id(self) -> str:
        """Return the id of the experiment, which is created if it is missing."""
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", _EXPERIMENT)
        found = self._connected.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._connected.create_experiment(name))

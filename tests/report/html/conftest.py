"""A small real run and its report, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_agent.jail import Sandbox
from eureka_agent.report import RunReport, run_report
from eureka_agent.runs.store import Store
from tests.support.small_run import small_run


@pytest.fixture(scope="session")
def run_path(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Path:
    return small_run(tmp_path_factory.mktemp("runs"), sandbox)


@pytest.fixture(scope="session")
def report(run_path: Path) -> RunReport:
    with Store.open(run_path / "run.db", writable=False) as store:
        return run_report(store)

"""Reports of runs on the disk, for commands."""

from __future__ import annotations

from datetime import datetime

from rich.console import RenderableType

from eureka_agent.errors import EurekaError
from eureka_agent.report.from_store import run_report
from eureka_agent.report.lineage import code_difference
from eureka_agent.report.terminal.run_list import Overview, overview_of
from eureka_agent.report.terminal.run_view import view_of
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.sqlite import is_claimed
from eureka_agent.runs.store import Store


def run_view(store: Store) -> RenderableType:
    """Return a run, finished or not: settings, all candidates, baselines, the best."""
    return view_of(run_report(store))


def code_diff(store: Store, first: str, second: str | None = None) -> str:
    """Return how the code of two candidates differs; see `code_difference`."""
    return code_difference(run_report(store), first, second)


def overview(run: RunDir) -> Overview:
    """Read a run; one that cannot be read gets a row, too."""
    try:
        with Store.open(run.database, writable=False) as store:
            report = run_report(store)
    except EurekaError as error:
        return Overview(run.name, "damaged", when=when_started(run, None), damage=str(error))
    when = when_started(run, report.effort.started)
    return overview_of(report, when=when, running=is_claimed(run.database))


def when_started(run: RunDir, started: str | None) -> str:
    """Return when a run was started, or when its database was last written."""
    try:
        moment = datetime.fromisoformat(started or "")
    except ValueError:
        moment = datetime.fromtimestamp(run.database.stat().st_mtime)
    return f"{moment:%Y-%m-%d %H:%M}"

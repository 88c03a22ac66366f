"""`report.html`, written while a run works and when somebody asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eureka_agent.errors import InternalError, UsageError
from eureka_agent.extract.reading import faults_as_ours, trace_of
from eureka_agent.report.from_store import run_report
from eureka_agent.report.html.compare_page import compare_page
from eureka_agent.report.html.replay_page import recorded_replays, replay_page
from eureka_agent.report.html.report_page import report_page
from eureka_agent.report.model import RunReport
from eureka_agent.runs.directory import RunDir, saving
from eureka_agent.runs.store import Store
from eureka_agent.search.events import Event, GenerationFinished, RunFinished
from eureka_agent.utils.files import write_file


class ReportWriter:
    """A listener that writes a run's report after each generation and at the end.

    A fault while the page is made costs the page, not the run: its traceback is kept in the run's
    folder.
    """

    def __init__(self, run_dir: RunDir, store: Store) -> None:
        self._dir = run_dir
        self._store = store

    def __call__(self, event: Event) -> None:
        """Write the report if `event` ends a generation or the run. Raises StoreError."""
        if not isinstance(event, GenerationFinished | RunFinished):
            return
        with saving(self._dir.path):
            try:
                with faults_as_ours("writing the report"):
                    page = report_page(self._report(event), self._store)
            except InternalError as error:
                write_file(self._dir.fault("report"), trace_of(error))
                return
            write_file(self._dir.report, page)

    def _report(self, event: GenerationFinished | RunFinished) -> RunReport:
        report = run_report(self._store)
        if isinstance(event, RunFinished):
            return report
        # The store knows that a generation is over only when the next one is asked for.
        return replace(report, finished_generations=event.generation.index + 1)


def write_report(run: RunDir, out: Path | None = None) -> Path:
    """Write the report of a run; the run's code is not run.

    Args:
        run: The run, finished or not.
        out: Where to write it; by default `report.html` in the run's folder.

    Returns:
        The path of the page.

    Raises:
        StoreError: The run's database cannot be read.
        UsageError: The page cannot be written.
    """
    with Store.open(run.database, writable=False) as store:
        page = report_page(run_report(store), store)
    return _written(page, out or run.report)


def write_comparison(runs: Sequence[RunDir], out: Path) -> Path:
    """Write a page that compares runs.

    Args:
        runs: At least two runs, finished or not.
        out: Where to write it.

    Returns:
        The path of the page.

    Raises:
        StoreError: A run's database cannot be read.
        UsageError: There are fewer than two runs, or the page cannot be written.
    """
    if len(runs) < 2:
        raise UsageError(
            f"A comparison needs at least two runs, got {len(runs)}: name another, or use"
            " `eureka-agent report` for one."
        )
    reports = []
    for run in runs:
        with Store.open(run.database, writable=False) as store:
            reports.append(run_report(store))
    return _written(compare_page(reports), out)


def write_replays(run: RunDir, names: Sequence[str] = (), out: Path | None = None) -> Path:
    """Write a page with replays of a run, side by side.

    Args:
        run: The run, finished or not.
        names: Whose replays; by default those of the best reward and the references.
        out: Where to write it; by default `replay.html` in the run's folder.

    Returns:
        The path of the page.

    Raises:
        StoreError: The run's database cannot be read.
        UsageError: The run has no such replays, or the page cannot be written.
    """
    with Store.open(run.database, writable=False) as store:
        report = run_report(store)
        scene, shown = recorded_replays(store, report, names)
    return _written(replay_page(report, scene, shown), out or run.replays)


def _written(page: str, out: Path) -> Path:
    try:
        write_file(out, page)
    except OSError as error:
        raise UsageError(
            f"Cannot write to {out} ({error.strerror}): choose another --out."
        ) from error
    return out

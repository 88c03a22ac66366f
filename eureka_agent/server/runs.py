"""The runs of a folder, as the pages show them: read when their files change.

A run's folder may come from somebody else. Reading it runs no code of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TypeVar

from eureka_agent.errors import RunDirError
from eureka_agent.report.formatting import number
from eureka_agent.report.from_store import run_report
from eureka_agent.report.model import RunReport
from eureka_agent.report.stored_runs import overview, when_started
from eureka_agent.report.terminal.run_list import Overview
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.drafts import Question, read_draft, read_question
from eureka_agent.runs.progress import RunProgressRecord, read_progress
from eureka_agent.runs.sqlite import is_claimed
from eureka_agent.runs.store import Store
from eureka_agent.tasks.task import StateSpec

_MOST_REPORTS = 8
"""Reports that are kept; one of 400 candidates takes about 20 MB."""
_Value = TypeVar("_Value")
_Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class StoredRun:
    """What a run's database says."""

    report: RunReport
    spec: StateSpec
    """What the task's rewards may read."""
    replays: frozenset[str]
    """Names of the candidates and references that have a replay."""


@dataclass(frozen=True)
class RunState:
    """A run at this moment."""

    run: RunDir
    stored: StoredRun
    progress: RunProgressRecord | None
    running: bool
    """Whether a process works on it."""
    question: Question | None
    """What it asks a person, as long as the answer is not in its database."""
    submitted: bool
    """Whether the answer to the question was submitted; the run takes it when it looks next."""

    @property
    def report(self) -> RunReport:
        """The run as its database says."""
        return self.stored.report

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.name

    @property
    def state(self) -> str:
        """`waiting` for a person, `running`, `finished` or `interrupted`."""
        if self.running:
            return "waiting" if self.question and not self.submitted else "running"
        return "finished" if self.report.finished else "interrupted"


class Runs:
    """The runs of one folder.

    Args:
        folder: The folder. It may be missing as long as there are no runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._overviews: dict[str, tuple[_Stamp, Overview]] = {}
        self._stored: dict[str, tuple[_Stamp, StoredRun]] = {}
        self._lock = Lock()
        self.followed_at = -math.inf
        """When a page asked last what a run does (`time.monotonic`)."""

    def all(self) -> list[RunDir]:
        """Return the runs on the disk, the newest first."""
        return RunDir.all_in(self.folder)[::-1] if self.folder.is_dir() else []

    def find(self, name: str) -> RunDir:
        """Return the run with this name. Raises RunDirError if the folder has none.

        The name is only compared with those on the disk, so that it is never part of a path.
        """
        for run in self.all():
            if run.name == name:
                return run
        raise RunDirError("There is no run with this name in the folder.")

    def overviews(self) -> list[Overview]:
        """Return one line for each run, the newest first."""
        return [self._overview(run) for run in self.all()]

    def state(self, name: str) -> RunState:
        """Return a run as it is now.

        Args:
            name: The run's name.

        Returns:
            The run.

        Raises:
            RunDirError: There is no such run, or its folder holds links.
            StoreError: Its database is damaged.
        """
        run = self.find(name)
        stored = self._kept(self._stored, run, _read)
        question = _open_question(run, stored.report)
        return RunState(
            run,
            stored,
            read_progress(run),
            is_claimed(run.database),
            question,
            question is not None and read_draft(run, question.generation).submitted,
        )

    def _overview(self, run: RunDir) -> Overview:
        progress, running = read_progress(run), is_claimed(run.database)
        if progress is None:
            found = self._kept(self._overviews, run, overview)
            known = found.state if found.state != "running" else "interrupted"
            return replace(found, state="running" if running else known)
        return _overview_of(run, progress, running=running)

    def _kept(
        self,
        cache: dict[str, tuple[_Stamp, _Value]],
        run: RunDir,
        read: Callable[[RunDir], _Value],
    ) -> _Value:
        """Return what `read` returns for a run; read it again only if its database changed."""
        with self._lock:  # one reads while the others wait, not all of them the same
            stamp = _stamp(run)
            if run.name in cache and cache[run.name][0] == stamp:
                cache[run.name] = cache.pop(run.name)  # the newest is last
                return cache[run.name][1]
            value = read(run)
            cache[run.name] = (stamp, value)
            if cache is self._stored and len(cache) > _MOST_REPORTS:
                del cache[next(iter(cache))]
            return value


def _read(run: RunDir) -> StoredRun:
    with Store.open(run.database, writable=False) as store:
        return StoredRun(run_report(store), store.task.reward_inputs, frozenset(store.replays()))


def _open_question(run: RunDir, report: RunReport) -> Question | None:
    """Return the question about the latest generation, if nobody answered it."""
    for part in report.generations[::-1]:
        if part.outcomes:
            return read_question(run, part.index) if part.feedback is None else None
    return None


def _overview_of(run: RunDir, progress: RunProgressRecord, *, running: bool) -> Overview:
    """Return a run's line from its progress, which takes no database."""
    state = "finished" if progress.activity == "finished" else "interrupted"
    if running:
        state = "waiting" if progress.activity == "waiting" else "running"
    measured = progress.fitness_unit is not None
    fitness = f" {number(progress.best_fitness)}" if progress.best_fitness is not None else ""
    return Overview(
        name=run.name,
        state=state,
        task=progress.task if measured else f"{progress.instruction} on {progress.task}",
        generations=f"{progress.finished_generations} of {progress.generations}",
        best=f"{progress.best}{fitness}" if progress.best else "-",
        cost=progress.cost or "-",
        when=when_started(run, progress.started),
    )


def _stamp(run: RunDir) -> _Stamp:
    """Return what changes when the database does: times and sizes of its files.

    Reading it leaves an empty write-ahead log, which does not count.
    """
    stamp = []
    for path in (run.database, run.database.with_name("run.db-wal")):
        try:
            known = path.stat()
        except OSError:
            continue
        if known.st_size:
            stamp.append((known.st_ino, known.st_size, known.st_mtime_ns))
    return tuple(stamp)

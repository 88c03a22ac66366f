"""A run's memory: one SQLite database, committed whenever something happened.

What was paid for (completions) and what took long (trainings) is written the moment it exists, so a
run can be killed at any time and resumed. Records are JSON, checked when they are read; policies
are safetensors bytes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import StoreError
from eureka_agent.records import (
    Baseline,
    Candidate,
    Completion,
    Example,
    Feedback,
    Outcome,
    PromptRecord,
    ReevaluationSeed,
    SettingChange,
    candidate_name,
)
from eureka_agent.runs.changes import differences
from eureka_agent.runs.sqlite import claim, create_database, read_database, write_database
from eureka_agent.runs.stored_task import StoredTask
from eureka_agent.text import one_line
from eureka_agent.utils.files import refuse_links
from eureka_agent.utils.serialization import from_json, to_json

SCHEMA = 4
_TABLES = (
    "meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    (
        "prompts (generation INTEGER, attempt INTEGER, plan INTEGER, record TEXT NOT NULL,"
        " PRIMARY KEY (generation, attempt, plan))"
    ),
    "feedback (generation INTEGER PRIMARY KEY, record TEXT NOT NULL)",
    (
        "completions (generation INTEGER, sample INTEGER, record TEXT NOT NULL, PRIMARY KEY"
        " (generation, sample))"
    ),
    "replaced (generation INTEGER, sample INTEGER, record TEXT NOT NULL)",
    (
        "checks (generation INTEGER, sample INTEGER, record TEXT NOT NULL, PRIMARY KEY (generation,"
        " sample))"
    ),
    (
        "outcomes (generation INTEGER, sample INTEGER, record TEXT NOT NULL, policy BLOB,"
        " PRIMARY KEY (generation, sample))"
    ),
    "baselines (name TEXT PRIMARY KEY, record TEXT NOT NULL)",
    "finals (seed INTEGER PRIMARY KEY, record TEXT NOT NULL)",
)


class Store:
    """The database of one run. Open it with `create` or `open`; a context manager."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: FileLock | None) -> None:
        self.path = path
        self._db = connection
        self._lock = lock

    # ------------------------------------------------------------------ opening
    @classmethod
    def create(cls, path: Path, config: SynthesisConfig) -> Store:
        """Make a new database that holds `config`. Raises StoreError."""
        store = cls._open(path, create_database, claimed=True)
        try:
            with store._transaction("create the run's database"):
                for table in _TABLES:
                    store._db.execute(f"CREATE TABLE {table}")
                store._save_metadata("schema", str(SCHEMA))
                store._save_metadata("config", to_json(config))
                store._save_metadata("started", _now())
        except StoreError:
            store.close()
            raise
        return store

    @classmethod
    def _open(
        cls, path: Path, connect: Callable[[Path], sqlite3.Connection], *, claimed: bool
    ) -> Store:
        lock = claim(path) if claimed else None
        try:
            return cls(path, connect(path), lock)
        except StoreError:
            if lock is not None:
                lock.release()
            raise

    @classmethod
    def open(cls, path: Path, *, writable: bool = True) -> Store:
        """Open an existing one; a writable one belongs to one process at a time.

        Raises RunDirError when another process has it or its folder holds links, and StoreError
        when it is not whole or of another version.
        """
        refuse_links(path.parent)
        store = cls._open(path, read_database, claimed=writable and path.exists())
        try:
            store._check_tables()
            if writable:
                store._db.close()
                store._db = write_database(path)
        except StoreError:
            store.close()
            raise
        return store

    def _check_tables(self) -> None:
        """Refuse a database that is none of this version."""
        rows = self._rows("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
        tables = {str(name): str(statement) for name, statement in rows}
        if not tables:
            raise StoreError(
                f"The run {self.path.parent} was stopped before it had written anything: remove it,"
                " and start it anew."
            )
        schema = self.metadata("schema") if "meta" in tables else None
        if schema != str(SCHEMA):
            raise StoreError(
                f"{self.path} has schema {one_line(str(schema))[:60]}, this version reads {SCHEMA}:"
                " use the version that wrote it."
            )
        if missing := sorted({table.split()[0] for table in _TABLES} - tables.keys()):
            raise StoreError(
                f"{self.path} is damaged: it lacks {', '.join(missing)} (docs/store.md)."
            )
        known = {table.split()[0]: f"CREATE TABLE {table}" for table in _TABLES}
        if other := [name for name, statement in known.items() if tables[name] != statement]:
            raise StoreError(
                f"{self.path} is damaged: its table {other[0]} is none of a run (docs/store.md)."
            )

    def close(self) -> None:
        """Close the database and let others write to it."""
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ what the run is
    @property
    def config(self) -> SynthesisConfig:
        """What the run was started with, and what was changed since."""
        return from_json(SynthesisConfig, self.metadata("config") or "")

    @property
    def task(self) -> StoredTask:
        """What the run remembers of its task. No code of a task outside `envs/` is run for it."""
        return from_json(StoredTask, self.metadata("task") or "")

    def save_task(self, facts: StoredTask) -> None:
        """Write down what is to be remembered of the task."""
        self.save_metadata("task", to_json(facts))

    @property
    def changes(self) -> tuple[SettingChange, ...]:
        """The settings that were changed when the run was resumed, oldest first."""
        stored = self.metadata("changes")
        return from_json(tuple[SettingChange, ...], stored) if stored else ()

    def save_config(self, config: SynthesisConfig) -> tuple[SettingChange, ...]:
        """Write another config, and what it changes; return that. A run that was finished may go on
        then."""
        changes = differences(self.config, config, _now())
        if changes:
            with self._transaction("write changed settings"):
                self._save_metadata("config", to_json(config))
                self._save_metadata(
                    "changes", to_json((*self.changes, *changes), tuple[SettingChange, ...])
                )
                self._db.execute("DELETE FROM meta WHERE key IN ('finished', 'stopped', 'habits')")
        return changes

    def metadata(self, key: str) -> str | None:
        """Return a fact about the run, such as the wall's layers or the time it started."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def facts(self) -> dict[str, str]:
        """Return all facts about the run but its config."""
        return {
            str(k): str(v)
            for k, v in self._rows("SELECT key, value FROM meta ORDER BY key")
            if k != "config"
        }

    @property
    def finished(self) -> bool:
        """Whether the search came to its end."""
        return self.metadata("finished") is not None

    def save_finished(self) -> None:
        """Write that the search came to its end, and when; the first time counts."""
        if self.metadata("finished") is None:
            self.save_metadata("finished", _now())

    def save_metadata(self, key: str, value: str) -> None:
        """Write a fact about the run; an older value is replaced."""
        with self._transaction(f"write {key}"):
            self._save_metadata(key, value)

    def _save_metadata(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples that its prompts show; none before they are chosen."""
        stored = self.metadata("examples")
        return from_json(tuple[Example, ...], stored) if stored else ()

    def save_examples(self, examples: tuple[Example, ...]) -> None:
        """Write them, so that a resumed run shows the same ones."""
        self.save_metadata("examples", to_json(examples, tuple[Example, ...]))

    # ------------------------------------------------------------------ what happened
    def asked(self, generation: int | None = None) -> list[PromptRecord]:
        """Return the prompts of a generation, or of all, in order."""
        where, args = ("", ()) if generation is None else (" WHERE generation = ?", (generation,))
        rows = self._rows(
            f"SELECT record FROM prompts{where} ORDER BY generation, attempt, plan", *args
        )
        return [from_json(PromptRecord, record) for (record,) in rows]

    def save_prompt(self, asked: PromptRecord) -> None:
        """Write a prompt before it is sent."""
        with self._transaction("write a prompt"):
            row = (asked.generation, asked.attempt, asked.prompt_index, to_json(asked))
            self._db.execute("INSERT INTO prompts VALUES (?, ?, ?, ?)", row)

    def feedback(self) -> dict[int, Feedback]:
        """Return what was said, by generation, oldest first."""
        rows = self._rows("SELECT generation, record FROM feedback ORDER BY generation")
        return {int(generation): from_json(Feedback, record) for generation, record in rows}

    def save_feedback(self, said: Feedback) -> None:
        """Write what was said of a generation; a person is not asked twice."""
        with self._transaction("write what was said"):
            self._db.execute("INSERT INTO feedback VALUES (?, ?)", (said.generation, to_json(said)))

    def completions(self, generation: int) -> dict[int, Completion]:
        """Return a generation's completions by sample index."""
        rows = self._rows(
            "SELECT sample, record FROM completions WHERE generation = ? ORDER BY sample",
            generation,
        )
        return {int(sample): from_json(Completion, record) for sample, record in rows}

    def answers(self) -> dict[str, Completion]:
        """Return the completion of every candidate by its name, in order."""
        rows = self._rows(
            "SELECT generation, sample, record FROM completions ORDER BY generation, sample"
        )
        return {
            candidate_name(int(g), int(sample)): from_json(Completion, record)
            for g, sample, record in rows
        }

    def save_completion(self, generation: int, completion: Completion) -> None:
        """Write a completion; it was paid for. One that was asked for again goes to `replaced`."""
        with self._transaction("write a completion"):
            row = (generation, completion.index, to_json(completion))
            before = "SELECT * FROM completions WHERE generation = ? AND sample = ?"
            self._db.execute(f"INSERT INTO replaced {before}", row[:2])
            self._db.execute("INSERT OR REPLACE INTO completions VALUES (?, ?, ?)", row)

    def replaced(self, generation: int | None = None) -> list[Completion]:
        """Return the completions, of a generation or of all, that were paid for and then asked for
        again.

        They were empty, as were all beside them, or they failed and were sent back.
        """
        where, args = ("", ()) if generation is None else (" WHERE generation = ?", (generation,))
        rows = self._rows(f"SELECT record FROM replaced{where} ORDER BY rowid", *args)
        return [from_json(Completion, record) for (record,) in rows]

    def checks(self) -> dict[str, Candidate]:
        """Return the candidates that passed checks and probe by name, trained or not."""
        rows = self._rows("SELECT record FROM checks ORDER BY generation, sample")
        candidates = [from_json(Candidate, record) for (record,) in rows]
        return {candidate.name: candidate for candidate in candidates}

    def save_check(self, candidate: Candidate) -> None:
        """Write that a candidate passed checks and probe; one that did not is an outcome."""
        with self._transaction("write a check"):
            row = (candidate.generation, candidate.index, to_json(candidate))
            self._db.execute("INSERT OR REPLACE INTO checks VALUES (?, ?, ?)", row)

    def outcomes(self, generation: int | None = None) -> list[Outcome]:
        """Return the outcomes of a generation, or of all, in order."""
        where, args = ("", ()) if generation is None else (" WHERE generation = ?", (generation,))
        rows = self._rows(f"SELECT record FROM outcomes{where} ORDER BY generation, sample", *args)
        return [from_json(Outcome, record) for (record,) in rows]

    def save_outcomes(
        self, outcomes: Sequence[tuple[Outcome, bytes | None]], *, seconds: float = 0.0
    ) -> None:
        """Write outcomes with their policies, all or none; `seconds` is the time it took to get
        them."""
        with self._transaction("write outcomes"):
            for outcome, policy in outcomes:
                row = (
                    outcome.candidate.generation,
                    outcome.candidate.index,
                    to_json(outcome),
                    policy,
                )
                self._db.execute("INSERT INTO outcomes VALUES (?, ?, ?, ?)", row)
            self._add_seconds(seconds)

    def policy(self, generation: int, sample: int) -> bytes | None:
        """Return a candidate's policy as the bytes of a safetensors file."""
        rows = self._rows(
            "SELECT policy FROM outcomes WHERE generation = ? AND sample = ?", generation, sample
        )
        if not rows or rows[0][0] is None:
            return None
        if not isinstance(rows[0][0], bytes):
            raise StoreError(f"The run holds a damaged policy of g{generation}c{sample}.")
        return rows[0][0]

    def baselines(self) -> list[Baseline]:
        """Return the references that were measured."""
        return [
            from_json(Baseline, record)
            for (record,) in self._rows("SELECT record FROM baselines ORDER BY rowid")
        ]

    def save_baselines(self, baselines: Sequence[Baseline], *, seconds: float = 0.0) -> None:
        """Write the references, all or none; `seconds` is the time it took to get them."""
        with self._transaction("write the baselines"):
            for baseline in baselines:
                self._db.execute(
                    "INSERT INTO baselines VALUES (?, ?)", (baseline.name, to_json(baseline))
                )
            self._add_seconds(seconds)

    def finals(self) -> list[ReevaluationSeed]:
        """Return the final trainings of the best reward and the references, one a seed, in
        order."""
        return [
            from_json(ReevaluationSeed, record)
            for (record,) in self._rows("SELECT record FROM finals ORDER BY rowid")
        ]

    def save_reevaluation(self, final: ReevaluationSeed, *, seconds: float = 0.0) -> None:
        """Write what came of one final seed; `seconds` is the time it took."""
        with self._transaction("write a final training"):
            self._db.execute("INSERT INTO finals VALUES (?, ?)", (final.seed, to_json(final)))
            self._add_seconds(seconds)

    @property
    def seconds(self) -> float:
        """Time spent on training and evaluation so far."""
        return from_json(float, self.metadata("seconds") or "0.0")

    # ------------------------------------------------------------------ plumbing
    def _add_seconds(self, seconds: float) -> None:
        self._save_metadata("seconds", repr(self.seconds + seconds))

    def _rows(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, args).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise StoreError(f"Cannot read {self.path}: {error}.") from error

    @contextmanager
    def _transaction(self, what: str) -> Iterator[None]:
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise StoreError(
                f"Cannot {what} in {self.path}: {error}. What was written before is intact; resume"
                " when this is mended."
            ) from error


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")

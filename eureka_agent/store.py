"""A run's memory: one SQLite database, committed whenever something happened.

What was paid for (completions) and what took long (trainings) is written the moment it exists, so a run can be
killed at any time and resumed. Records are JSON, checked when they are read; policies are safetensors bytes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import RunDirError, StoreError
from eureka_agent.records import Baseline, Completion, Feedback, Message, Outcome
from eureka_agent.serial import from_json, to_json

SCHEMA = 2
_TABLES = (
    "meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "prompts (generation INTEGER, attempt INTEGER, messages TEXT NOT NULL, parents TEXT NOT NULL,"
    " PRIMARY KEY (generation, attempt))",
    "feedback (generation INTEGER PRIMARY KEY, record TEXT NOT NULL)",
    "completions (generation INTEGER, sample INTEGER, record TEXT NOT NULL, PRIMARY KEY (generation, sample))",
    "outcomes (generation INTEGER, sample INTEGER, record TEXT NOT NULL, policy BLOB,"
    " PRIMARY KEY (generation, sample))",
    "baselines (name TEXT PRIMARY KEY, record TEXT NOT NULL)",
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
        """Make a new database that holds `config`."""
        store = cls._connect(path, writable=True)
        with store._transaction("create the run's database"):
            for table in _TABLES:
                store._db.execute(f"CREATE TABLE {table}")
            store._put_meta("schema", str(SCHEMA))
            store._put_meta("config", to_json(config))
        return store

    @classmethod
    def open(cls, path: Path, *, writable: bool = True) -> Store:
        """Open an existing one; a writable one belongs to one process at a time."""
        store = cls._connect(path, writable=writable)
        schema = store.meta("schema")
        if schema != str(SCHEMA):
            store.close()
            raise StoreError(f"{path} has schema {schema}, this version reads {SCHEMA}: use the version that wrote it.")
        return store

    @classmethod
    def _connect(cls, path: Path, *, writable: bool) -> Store:
        lock = _lock(path) if writable else None
        try:
            mode = "rwc" if writable else "ro"
            db = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
            if writable:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            raise StoreError(f"Cannot open {path}: {error}.") from error
        return cls(path, db, lock)

    def close(self) -> None:
        """Close the database and let others write to it."""
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ what the run is
    @property
    def config(self) -> SynthesisConfig:
        """What the run was started with."""
        return from_json(SynthesisConfig, self.meta("config") or "")

    def meta(self, key: str) -> str | None:
        """Return a fact about the run, such as the wall's layers or the time it started."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def put_meta(self, key: str, value: str) -> None:
        """Write a fact about the run; an older value is replaced."""
        with self._transaction(f"write {key}"):
            self._put_meta(key, value)

    def _put_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # ------------------------------------------------------------------ what happened
    def messages(self, generation: int, attempt: int) -> tuple[Message, ...] | None:
        """Return the prompt that an attempt at a generation was asked with, None if it was not asked yet."""
        rows = self._rows("SELECT messages FROM prompts WHERE generation = ? AND attempt = ?", generation, attempt)
        return from_json(tuple[Message, ...], rows[0][0]) if rows else None

    def put_prompt(self, generation: int, attempt: int, messages: Sequence[Message], parents: Sequence[str]) -> None:
        """Write a prompt and the names of the candidates that it builds on."""
        with self._transaction("write a prompt"):
            row = (generation, attempt, to_json(tuple(messages), tuple[Message, ...]), json.dumps(list(parents)))
            self._db.execute("INSERT INTO prompts VALUES (?, ?, ?, ?)", row)

    def parents(self, generation: int) -> tuple[str, ...]:
        """Return the names of the candidates that a generation's last prompt built on."""
        query = "SELECT parents FROM prompts WHERE generation = ? ORDER BY attempt DESC"
        rows = self._rows(query, generation)
        return tuple(json.loads(rows[0][0])) if rows else ()

    def feedback(self) -> dict[int, Feedback]:
        """Return what was said, by generation, oldest first."""
        rows = self._rows("SELECT generation, record FROM feedback ORDER BY generation")
        return {int(generation): from_json(Feedback, record) for generation, record in rows}

    def put_feedback(self, said: Feedback) -> None:
        """Write what was said of a generation; a person is not asked twice."""
        with self._transaction("write what was said"):
            self._db.execute("INSERT INTO feedback VALUES (?, ?)", (said.generation, to_json(said)))

    def completions(self, generation: int) -> dict[int, Completion]:
        """Return a generation's completions by sample index."""
        rows = self._rows("SELECT sample, record FROM completions WHERE generation = ? ORDER BY sample", generation)
        return {int(sample): from_json(Completion, record) for sample, record in rows}

    def put_completion(self, generation: int, completion: Completion) -> None:
        """Write a completion; it was paid for. One that was asked for again replaces the first."""
        with self._transaction("write a completion"):
            row = (generation, completion.index, to_json(completion))
            self._db.execute("INSERT OR REPLACE INTO completions VALUES (?, ?, ?)", row)

    def outcomes(self, generation: int | None = None) -> list[Outcome]:
        """Return the outcomes of a generation, or of all, in order."""
        where, args = ("", ()) if generation is None else (" WHERE generation = ?", (generation,))
        rows = self._rows(f"SELECT record FROM outcomes{where} ORDER BY generation, sample", *args)
        return [from_json(Outcome, record) for (record,) in rows]

    def put_outcomes(self, outcomes: Sequence[tuple[Outcome, bytes | None]], *, seconds: float = 0.0) -> None:
        """Write outcomes with their policies, all or none; `seconds` is the time it took to get them."""
        with self._transaction("write outcomes"):
            for outcome, policy in outcomes:
                row = (outcome.candidate.generation, outcome.candidate.index, to_json(outcome), policy)
                self._db.execute("INSERT INTO outcomes VALUES (?, ?, ?, ?)", row)
            self._add_seconds(seconds)

    def policy(self, generation: int, sample: int) -> bytes | None:
        """Return a candidate's policy as the bytes of a safetensors file."""
        rows = self._rows("SELECT policy FROM outcomes WHERE generation = ? AND sample = ?", generation, sample)
        return bytes(rows[0][0]) if rows and rows[0][0] is not None else None

    def baselines(self) -> list[Baseline]:
        """Return the references that were measured."""
        return [from_json(Baseline, record) for (record,) in self._rows("SELECT record FROM baselines ORDER BY rowid")]

    def put_baselines(self, baselines: Sequence[Baseline], *, seconds: float = 0.0) -> None:
        """Write the references, all or none; `seconds` is the time it took to get them."""
        with self._transaction("write the baselines"):
            for baseline in baselines:
                self._db.execute("INSERT INTO baselines VALUES (?, ?)", (baseline.name, to_json(baseline)))
            self._add_seconds(seconds)

    @property
    def seconds(self) -> float:
        """Time spent on training and evaluation so far."""
        return float(self.meta("seconds") or 0.0)

    # ------------------------------------------------------------------ plumbing
    def _add_seconds(self, seconds: float) -> None:
        self._put_meta("seconds", repr(self.seconds + seconds))

    def _rows(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, args).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"Cannot read {self.path}: {error}.") from error

    @contextmanager
    def _transaction(self, what: str) -> Iterator[None]:
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise StoreError(
                f"Cannot {what} in {self.path}: {error}. What was written before is intact; resume when this is mended."
            ) from error


def _lock(path: Path) -> FileLock:
    """Claim a run for this process; the lock ends with the process, however that ends."""
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunDirError(
            f"The run {path.parent} is being worked on by another process: wait until it ends."
        ) from error
    except OSError as error:
        raise RunDirError(f"Cannot write to {path.parent} ({error.strerror}).") from error
    return lock

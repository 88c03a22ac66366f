"""The SQLite file of a run: its tables, opening and checking it, facts, transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import StoreError
from eureka_agent.runs.sqlite import claim, create_database, read_database, write_database
from eureka_agent.text import one_line
from eureka_agent.utils.files import refuse_links
from eureka_agent.utils.serialization import to_json

SCHEMA = 6
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
    "judge_answers (generation INTEGER, record TEXT NOT NULL)",
    "replays (name TEXT PRIMARY KEY, record BLOB NOT NULL)",
)


class RunDatabase:
    """The tables of a run's database and the facts in `meta`; `Store` adds the records."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: FileLock | None) -> None:
        self.path = path
        self._db = connection
        self._lock = lock

    # ------------------------------------------------------------------ opening
    @classmethod
    def create(cls, path: Path, config: SynthesisConfig) -> Self:
        """Create the database of a new run.

        Args:
            path: The file, which must not exist.
            config: The run's config.

        Returns:
            The open database, claimed for this process.

        Raises:
            RunDirError: The file system cannot lock files.
            StoreError: The file cannot be written.
        """
        store = cls._open(path, create_database, claimed=True)
        try:
            with store._transaction("create the run's database"):
                for table in _TABLES:
                    store._db.execute(f"CREATE TABLE {table}")
                store._save_metadata("schema", str(SCHEMA))
                store._save_metadata("config", to_json(config))
                store._save_metadata("started", now())
        except StoreError:
            store.close()
            raise
        return store

    @classmethod
    def _open(
        cls, path: Path, connect: Callable[[Path], sqlite3.Connection], *, claimed: bool
    ) -> Self:
        lock = claim(path) if claimed else None
        try:
            return cls(path, connect(path), lock)
        except StoreError:
            if lock is not None:
                lock.release()
            raise

    @classmethod
    def open(cls, path: Path, *, writable: bool = True) -> Self:
        """Open an existing database.

        Args:
            path: The file.
            writable: Whether to claim it for writing; only one process at a time can.

        Returns:
            The open database.

        Raises:
            RunDirError: Another process has claimed it, or its folder holds links.
            StoreError: It is damaged, empty, or of another version.
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
        """Raise StoreError unless the database has this version's schema."""
        rows = self._rows("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
        tables = {str(name): str(statement) for name, statement in rows}
        if not tables:
            raise StoreError(
                f"The run {self.path.parent} stopped before anything was written. Delete the folder"
                " and start a new run."
            )
        schema = self.metadata("schema") if "meta" in tables else None
        if schema != str(SCHEMA):
            raise StoreError(_other_schema(self.path, schema))
        if missing := sorted({table.split()[0] for table in _TABLES} - tables.keys()):
            raise StoreError(
                f"{self.path} is damaged: it lacks {', '.join(missing)} (docs/store.md)."
            )
        known = {table.split()[0]: f"CREATE TABLE {table}" for table in _TABLES}
        if other := [name for name, statement in known.items() if tables[name] != statement]:
            raise StoreError(
                f"{self.path} is damaged: its table {other[0]} does not have a run's columns"
                " (docs/store.md)."
            )

    def close(self) -> None:
        """Close the database and release the claim."""
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ facts
    def metadata(self, key: str) -> str | None:
        """Return a fact about the run, such as the sandbox's layers or the time of its start.

        Args:
            key: The fact's name.

        Returns:
            The value, or None if it was not written.
        """
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def facts(self) -> dict[str, str]:
        """Return all facts about the run except its config and its initial policy."""
        return {
            str(k): str(v)
            for k, v in self._rows("SELECT key, value FROM meta ORDER BY key")
            if k not in ("config", "initial_policy")
        }

    def save_metadata(self, key: str, value: str) -> None:
        """Write a fact about the run, in place of an older value.

        Args:
            key: The fact's name.
            value: Its value.

        Raises:
            StoreError: The database cannot be written.
        """
        with self._transaction(f"write {key}"):
            self._save_metadata(key, value)

    def remove_metadata(self, key: str) -> None:
        """Remove a fact about the run, if it was written.

        Args:
            key: The fact's name.

        Raises:
            StoreError: The database cannot be written.
        """
        with self._transaction(f"remove {key}"):
            self._db.execute("DELETE FROM meta WHERE key = ?", (key,))

    def _save_metadata(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # ------------------------------------------------------------------ SQL
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
                f"Cannot {what} in {self.path}: {error}. Earlier data is intact. Fix the problem,"
                f" then run `eureka-agent resume {self.path.parent}`."
            ) from error


def _other_schema(path: Path, schema: str | None) -> str:
    """Return why a database of another schema is refused."""
    found = one_line(str(schema), 60)
    if found.isdecimal() and int(found) < SCHEMA:
        return (
            f"The run was written by an older version (schema {found}); this version reads schema"
            f" {SCHEMA}. Use the version that wrote it, or start a new run."
        )
    return (
        f"{path} has schema {found}; this version reads schema {SCHEMA}. Use the version that wrote"
        " it, or start a new run."
    )


def now() -> str:
    """Return the local time (ISO 8601, seconds)."""
    return datetime.now().astimezone().isoformat(timespec="seconds")

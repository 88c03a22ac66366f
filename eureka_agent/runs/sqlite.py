"""Open SQLite files safely: report any problem in one sentence and change nothing.

A database is first examined through a read-only connection. Only an intact one is opened for
writing, since that may already move the write-ahead log into the file.
"""

from __future__ import annotations

import errno
import re
import sqlite3
import sys
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

from eureka_agent.errors import RunDirError, StoreError
from eureka_agent.text import one_line

if sys.platform != "win32":  # so that `Sandbox` can explain there what to do
    import fcntl

_BUSY_S = 5.0
"""Time to wait for another program's transaction."""
_MOST_BYTES = 256 * 2**20
"""Size limit of a text or a policy; SQLite rejects larger ones."""
_PROGRAM = re.compile(r"\b(?:CHECK|GENERATED|AS|DEFAULT|COLLATE)\b", re.IGNORECASE)
"""Words in a schema that make SQLite compute something when a row is read or written."""
_PEEK_S = 0.5
"""Time to wait for a claim, since `is_claimed` holds one briefly."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
"""Errors of a file system without locks, or whose lock server cannot be reached."""


def create_database(path: Path) -> sqlite3.Connection:
    """Return a connection to a new database. Raises StoreError."""
    return _writable(path, "rwc")


def read_database(path: Path) -> sqlite3.Connection:
    """Return a read-only connection to an intact database. Raises StoreError."""
    if not path.is_file():
        raise StoreError(f"There is no database {path}.")
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists():  # it may name any file, which SQLite would delete on rollback
        raise StoreError(
            f"{path} has the journal {journal.name}, which a run that has written anything never"
            " leaves: delete the run and start a new one. Nothing was changed."
        )
    db = _connect(path, "ro")
    try:
        _examine(path, db)
    except StoreError:
        db.close()
        raise
    return db


def write_database(path: Path) -> sqlite3.Connection:
    """Return a writing connection to a database that was examined before. Raises StoreError."""
    return _writable(path, "rw")


def demand_locks(folder: Path) -> None:
    """Raise RunDirError if the file system of `folder` cannot lock files.

    Some network file systems cannot. SQLite uses POSIX locks and a run's claim is a BSD lock; both
    are tried on an unnamed file.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise RunDirError(
                f"The file system of {folder} cannot lock files ({error.strerror}), and a run's"
                " database needs locks. This is common for network file systems: choose a folder on"
                " a local disk with --runs-dir, or have locks enabled for the mount."
            ) from error


def claim(path: Path) -> FileLock:
    """Claim a database for this process, until the process ends in any way.

    Raises RunDirError if another process has claimed it.
    """
    demand_locks(path.parent)
    # `evolve` may continue and end in another thread.
    lock = FileLock(_lock_file(path), thread_local=False)
    try:
        lock.acquire(timeout=_PEEK_S)
    except Timeout as error:
        raise RunDirError(
            f"Another process is working on the run {path.parent}: wait until it ends."
        ) from error
    except OSError as error:
        raise RunDirError(f"Cannot write to {path.parent} ({error.strerror}).") from error
    return lock


def is_claimed(path: Path) -> bool:
    """Return whether a process is working on the database."""
    try:
        with _lock_file(path).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _lock_file(path: Path) -> Path:
    return path.with_suffix(".lock")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    try:
        uri = f"{path.resolve().as_uri()}?mode={mode}"
        # One thread at a time uses a run, but not always the same: `evolve` may continue in
        # another.
        db = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=_BUSY_S, check_same_thread=False
        )
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA cell_size_check = ON")
        return db
    except sqlite3.Error as error:
        raise StoreError(f"Cannot open {path}: {error}.") from error


def _writable(path: Path, mode: str) -> sqlite3.Connection:
    db = _connect(path, mode)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        db.close()
        raise StoreError(
            f"Cannot open {path} for writing: {error}. Nothing was changed."
        ) from error
    return db


def _examine(path: Path, db: sqlite3.Connection) -> None:
    try:
        if foreign := _program_in(db):
            raise StoreError(
                f"{path} holds {foreign}, which no run has: somebody may have added it to do harm."
                " Nothing was changed: start a new run."
            )
        problems = [str(row[0]) for row in db.execute("PRAGMA integrity_check(1)")]
    except UnicodeDecodeError:  # SQLite's message quotes what should be a name
        problems = ["its schema is not text"]
    except sqlite3.DatabaseError as error:
        demand_locks(path.parent)
        if _is_temporary(error):
            raise StoreError(f"Cannot read {path}: {error}. Nothing was changed.") from error
        problems = [str(error)]
    if problems != ["ok"]:
        reason = one_line(problems[0])
        raise StoreError(
            f"{path} is damaged or not a database ({reason}). Nothing was changed: replace it with"
            " a copy, or start a new run (docs/store.md)."
        )


def _program_in(db: sqlite3.Connection) -> str | None:
    """Describe what the schema holds besides plain tables: code that SQLite would run."""
    for kind, name, statement in db.execute("SELECT type, name, sql FROM sqlite_schema"):
        plain = (
            kind == "table"
            and str(statement).startswith("CREATE TABLE ")
            and not _PROGRAM.search(str(statement))
        )
        automatic = kind == "index" and statement is None  # of a primary key
        if not (plain or automatic):
            return one_line(f"the {kind} {str(name)[:60]!r}")
    return None


def _is_temporary(error: sqlite3.DatabaseError) -> bool:
    """Whether the error is not damage but a lock, the disk or a permission."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
    )

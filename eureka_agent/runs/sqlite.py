"""Opening SQLite files so that whatever is wrong with one is said in one sentence, and nothing is
made worse.

A database is looked at through a read-only connection first: only one that is whole is opened for
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

if sys.platform != "win32":  # so that `Sandbox` can say there what to do instead
    import fcntl

_BUSY_S = 5.0
"""How long another program's transaction is waited for."""
_MOST_BYTES = 256 * 2**20
"""No text or policy of a run is longer; SQLite refuses to make one that is."""
_PROGRAM = re.compile(r"\b(?:CHECK|GENERATED|AS|DEFAULT|COLLATE)\b", re.IGNORECASE)
"""What makes SQLite compute something when a row is read or written."""
_PEEK_S = 0.5
"""How long a claim is waited for, since `is_claimed` takes one for a moment."""
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
"""What a file system answers that has no locks, or whose lock server cannot be reached."""


def create_database(path: Path) -> sqlite3.Connection:
    """Return a connection to a new file. Raises StoreError."""
    return _writable(path, "rwc")


def read_database(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads, to a file that is a whole database. Raises
    StoreError."""
    if not path.is_file():
        raise StoreError(f"There is no database {path}.")
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists():  # it may name any file, which SQLite would remove when it rolls back
        raise StoreError(
            f"{path} has the journal {journal.name}, which no run leaves once it has written"
            " anything: remove the run, and start it anew. Nothing in it was changed."
        )
    db = _connect(path, "ro")
    try:
        _look_through(path, db)
    except StoreError:
        db.close()
        raise
    return db


def write_database(path: Path) -> sqlite3.Connection:
    """Return a connection that writes, to a file that was looked through before. Raises
    StoreError."""
    return _writable(path, "rw")


def demand_locks(folder: Path) -> None:
    """Raise RunDirError when the file system of `folder` cannot lock files, as some network file
    systems.

    SQLite takes POSIX locks, and a run's claim is a BSD lock: both are tried on a file without a
    name.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise RunDirError(
                f"The file system that holds {folder} cannot lock files ({error.strerror}), and a"
                " run's database needs locks. This is common for network file systems: choose a"
                " folder on a local disk with --runs-dir, or have locks enabled where it is"
                " mounted."
            ) from error


def claim(path: Path) -> FileLock:
    """Claim a database for this process; the claim ends with the process, however that ends. Raises
    RunDirError."""
    demand_locks(path.parent)
    lock = FileLock(
        _lock_file(path), thread_local=False
    )  # `evolve` may go on, and end, in another thread
    try:
        lock.acquire(timeout=_PEEK_S)
    except Timeout as error:
        raise RunDirError(
            f"The run {path.parent} is being worked on by another process: wait until it ends."
        ) from error
    except OSError as error:
        raise RunDirError(f"Cannot write to {path.parent} ({error.strerror}).") from error
    return lock


def is_claimed(path: Path) -> bool:
    """Return whether a process works on the database."""
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
        # A run belongs to one thread at a time, but not always to the same: `evolve` may go on in
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
            f"Cannot open {path} for writing: {error}. Nothing in it was changed."
        ) from error
    return db


def _look_through(path: Path, db: sqlite3.Connection) -> None:
    try:
        if foreign := _program_in(db):
            raise StoreError(
                f"{path} holds {foreign}, which no run has: it may have been changed to do harm."
                " Nothing in it was changed: start the run anew."
            )
        problems = [str(row[0]) for row in db.execute("PRAGMA integrity_check(1)")]
    except UnicodeDecodeError:  # the complaint quotes what should be a name
        problems = ["its schema is no text"]
    except sqlite3.DatabaseError as error:
        demand_locks(path.parent)
        if _is_passing(error):
            raise StoreError(f"Cannot read {path}: {error}. Nothing in it was changed.") from error
        problems = [str(error)]
    if problems != ["ok"]:
        reason = one_line(problems[0])
        raise StoreError(
            f"{path} is damaged or no database ({reason}). Nothing in it was changed: put a copy in"
            " its place, or start the run anew (docs/store.md)."
        )


def _program_in(db: sqlite3.Connection) -> str:
    """Return what the schema holds beside plain tables, in words: all of it is a program that
    SQLite would run."""
    for kind, name, statement in db.execute("SELECT type, name, sql FROM sqlite_schema"):
        plain = (
            kind == "table"
            and str(statement).startswith("CREATE TABLE ")
            and not _PROGRAM.search(str(statement))
        )
        automatic = kind == "index" and statement is None  # of a primary key
        if not (plain or automatic):
            return one_line(f"the {kind} {str(name)[:60]!r}")
    return ""


def _is_passing(error: sqlite3.DatabaseError) -> bool:
    """Whether it is no damage: another program has locked it, or the disk or a permission is in the
    way."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
    )

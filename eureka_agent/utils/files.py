"""Write files into a run's folder completely or not at all, and never through a symbolic link.

The folder may come from somebody else.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from eureka_agent.errors import RunDirError
from eureka_agent.text import escape_control

_NEW = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)

_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def write_file(path: Path, content: bytes | str) -> None:
    """Write a new file next to `path`, then replace `path` with it.

    Text is written as UTF-8, lone surrogates as `?`. A missing folder is created. Raises OSError.
    """
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    path.parent.mkdir(exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    try:
        with new_file(new) as file:
            file.write(data)
        os.replace(new, path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def read_plain_file(path: Path, most_bytes: int) -> bytes | None:
    """Return the content of a file; None if it is missing, larger, or not a plain file.

    Neither a symbolic link is followed, nor does a pipe block.
    """
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = file.read(most_bytes + 1)
    return data if len(data) <= most_bytes else None


def new_file(path: Path) -> BinaryIO:
    """Remove what is at `path` and return a new file, open for writing. Raises OSError."""
    path.unlink(missing_ok=True)  # removes a link, not its target
    return os.fdopen(os.open(path, _NEW, 0o666), "wb")


def refuse_links(folder: Path) -> None:
    """Raise RunDirError if a run's folder holds anything but files and folders.

    Through a symbolic link this process would read or write elsewhere; a pipe would block it
    forever.
    """
    for entry in _all_in(folder):
        if entry.is_symlink():
            kind = "a symbolic link"
        elif not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
            kind = "neither a file nor a folder"
        else:
            continue
        name = escape_control(os.path.relpath(entry.path, folder))
        raise RunDirError(
            f"The run {escape_control(str(folder))} holds {name}, which is {kind}. A run has plain"
            " files and folders only: remove it, or replace it with a plain file or folder."
        )


def _all_in(folder: Path) -> Iterator[os.DirEntry[str]]:
    waiting = [os.fspath(folder)]
    while waiting:
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)

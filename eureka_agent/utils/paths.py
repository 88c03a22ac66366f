"""Paths as users write them."""

from __future__ import annotations

import tempfile
from os import PathLike, fspath
from pathlib import Path

from eureka_agent.errors import UsageError


def user_path(path: str | PathLike[str]) -> Path:
    """Return `path` with a leading `~` expanded. Raises UsageError if it is not a path."""
    if not isinstance(path, str | PathLike) or not isinstance(fspath(path), str):
        raise UsageError(f"A path must be text or a pathlib.Path, got {type(path).__name__}.")
    text = fspath(path)
    if not text.strip():
        raise UsageError("The path is empty: name a file or a folder.")
    if "\0" in text:
        raise UsageError(f"A path cannot have a null character, got {text!r}.")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # the user in `~name` does not exist or has no home folder
        raise UsageError(
            f"The home folder in {text!r} cannot be found: write the path out."
        ) from error


def check_writable(path: Path, option: str) -> None:
    """Raise UsageError if no file can be written at `path`, which is not changed.

    `option`: the option that holds the path.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: give {option} the path of a file.")
    try:
        if path.exists():
            path.open("ab").close()
        else:
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise UsageError(
            f"Cannot write to {path} ({error.strerror}): choose another {option}."
        ) from error

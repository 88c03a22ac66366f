"""Paths as users write them."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from eureka_agent.errors import UsageError


def user_path(path: str | PathLike[str]) -> Path:
    """Return `path` with a leading `~` replaced by the home folder. Raises UsageError for what is no path."""
    if not isinstance(path, str | PathLike) or not isinstance(fspath(path), str):
        raise UsageError(f"A path must be text or a pathlib.Path, got {type(path).__name__}.")
    text = fspath(path)
    if not text.strip():
        raise UsageError("The path is empty: name a file or a folder.")
    if "\0" in text:
        raise UsageError(f"A path cannot have a null character, got {text!r}.")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # `~name` of a user that this machine does not know, or no home at all
        raise UsageError(f"The home folder in {text!r} cannot be found: write the path out.") from error

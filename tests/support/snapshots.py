"""Texts kept as files. After a change that is meant: `UPDATE_SNAPSHOTS=1 pytest`, then read the
difference."""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "snapshots"


def matches_snapshot(name: str, text: str, folder: Path = _FOLDER) -> None:
    """Compare `text` with <folder>/<name>.md, or write it there when UPDATE_SNAPSHOTS is set."""
    path = folder / f"{name}.md"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"no snapshot {path}: run with UPDATE_SNAPSHOTS=1 to write it"
    assert text == path.read_text(encoding="utf-8"), (
        f"differs from {path}: UPDATE_SNAPSHOTS=1 accepts the change"
    )

"""Reads the runs that Weights & Biases keeps on disk: records of its protocol in a LevelDB log."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_FILE_HEADER, _BLOCK, _RECORD_HEADER = 7, 32_768, 7
_WHOLE, _LAST = 1, 4
"""Types of a part: the whole of a record, or the last of several."""


@dataclass
class WandbRun:
    """One run on disk."""

    name: str = ""
    group: str = ""
    kind: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: list[tuple[str, str]] = field(default_factory=list)
    """Type and name of each."""
    exit_code: int | None = None


def wandb_runs(folder: Path) -> dict[str, WandbRun]:
    """Return the runs below a folder by name."""
    runs = [_run(path) for path in sorted(folder.glob("wandb/*/*.wandb"))]
    return {run.name: run for run in runs}


def _run(path: Path) -> WandbRun:
    from wandb.proto import wandb_internal_pb2

    run = WandbRun()
    for data in _records(path.read_bytes()):
        record = wandb_internal_pb2.Record.FromString(data)
        match record.WhichOneof("record_type"):
            case "run":
                run.name, run.group = record.run.display_name, record.run.run_group
                run.kind = record.run.job_type
                run.config |= _values(record.run.config.update)
            case "history":
                run.history.append(_values(record.history.item))
            case "summary":
                run.summary |= _values(record.summary.update)
            case "artifact":
                run.artifacts.append((record.artifact.type, record.artifact.name))
            case "exit":
                run.exit_code = record.exit.exit_code
    return run


def _values(items: Any) -> dict[str, Any]:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def _records(data: bytes) -> Iterator[bytes]:
    at, parts = _FILE_HEADER, b""
    while at + _RECORD_HEADER <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _RECORD_HEADER:  # the rest of a block is padding
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        at += _RECORD_HEADER
        parts += data[at : at + length]
        at += length
        if kind in (_WHOLE, _LAST):
            yield parts
            parts = b""

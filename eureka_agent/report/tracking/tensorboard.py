"""Training curves for TensorBoard, one folder per training."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event as TensorBoardEvent
from tensorboard.compat.proto.summary_pb2 import Summary

# The bare record writer: `SummaryWriter` and `EventFileWriter` load TensorFlow wherever it is
# installed.
from tensorboard.summary.writer.record_writer import RecordWriter

from eureka_agent.report.tracking.tracker import SearchInfo, SearchResult
from eureka_agent.runs.directory import saving
from eureka_agent.utils.files import new_file


class TensorBoardTracker:
    """Writes the curves of each training over environment steps to `folder/<training>/`.

    A training that starts over, such as after a resume, replaces its old curves. The methods raise
    StoreError.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, RecordWriter] = {}

    def open_search(self, search: SearchInfo) -> None:
        """Do nothing: TensorBoard knows trainings only."""

    def open_training(self, name: str) -> None:
        """See `Tracker.open_training`."""
        with saving(self._folder):
            self._writers[name] = _open(self._folder / _file_name(name))

    def log(self, name: str, numbers: Mapping[str, float], environment_steps: int) -> None:
        """See `Tracker.log`."""
        writer = self._writers[name]
        with saving(self._folder):
            writer.write(_scalars(numbers, environment_steps))
            writer.flush()  # so that it can be read during the training and survives a kill

    def close_training(self, name: str, results: Mapping[str, float] | None) -> None:
        """See `Tracker.close_training`; the results are not drawn."""
        with saving(self._folder):
            self._writers.pop(name).close()

    def close_search(self, result: SearchResult | None) -> None:
        """Do nothing: the trainings are closed."""


def _open(folder: Path) -> RecordWriter:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("events.out.tfevents.*"):
        old.unlink()
    writer = RecordWriter(new_file(folder / f"events.out.tfevents.{time.time_ns()}"))
    writer.write(
        TensorBoardEvent(wall_time=time.time(), file_version="brain.Event:2").SerializeToString()
    )
    return writer


def _scalars(numbers: Mapping[str, float], step: int) -> bytes:
    values = [Summary.Value(tag=tag, simple_value=value) for tag, value in numbers.items()]
    event = TensorBoardEvent(wall_time=time.time(), step=step, summary=Summary(value=values))
    return bytes(event.SerializeToString())


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)

"""Training curves for TensorBoard, one folder per candidate."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event as TensorBoardEvent
from tensorboard.compat.proto.summary_pb2 import Summary

# The bare record writer: `SummaryWriter` and `EventFileWriter` load TensorFlow wherever it is
# installed.
from tensorboard.summary.writer.record_writer import RecordWriter

from eureka_agent.runs.directory import saving
from eureka_agent.search.events import Event, TrainingProgress, TrainingStarted
from eureka_agent.training import Progress
from eureka_agent.utils.files import new_file


class CurveWriter:
    """A listener that writes training curves over environment steps to `folder/<candidate>/`.

    Curves: `training/reward` (mean per step), `training/fitness` and `training/episode_length` (of
    the episodes that ended), `optimiser/kl`, `optimiser/learning_rate`. NaN is left out, and a
    curve ends when the candidate's reward fails. A training that starts over, such as after a
    resume, replaces its old curves.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, RecordWriter] = {}

    def __call__(self, event: Event) -> None:
        """Write the progress that `event` reports; any other event ends the previous training.

        Raises StoreError.
        """
        with saving(self._folder):
            self._apply(event)

    def _apply(self, event: Event) -> None:
        if isinstance(event, TrainingProgress):
            self._write(event.names, event.progress)
            return
        self.close()
        if isinstance(event, TrainingStarted):
            self._writers = {name: _open(self._folder / _file_name(name)) for name in event.names}

    def close(self) -> None:
        """Close all files; the next training opens its own."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _write(self, names: tuple[str, ...], progress: Progress) -> None:
        for k, name in enumerate(names):
            if progress.alive[k]:
                numbers = {
                    "training/reward": progress.reward[k],
                    "training/fitness": progress.fitness[k],
                    "training/episode_length": progress.episode_length[k],
                    "optimiser/kl": progress.kl[k],
                    "optimiser/learning_rate": progress.learning_rate[k],
                }
                writer = self._writers[name]
                writer.write(_scalars(numbers, progress.environment_steps))
                writer.flush()  # so that it can be read during the training and survives a kill
        if progress.environment_steps >= progress.total_steps:
            self.close()


def _open(folder: Path) -> RecordWriter:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("events.out.tfevents.*"):
        old.unlink()
    writer = RecordWriter(new_file(folder / f"events.out.tfevents.{time.time_ns()}"))
    writer.write(
        TensorBoardEvent(wall_time=time.time(), file_version="brain.Event:2").SerializeToString()
    )
    return writer


def _scalars(numbers: dict[str, float], step: int) -> bytes:
    values = [
        Summary.Value(tag=tag, simple_value=x) for tag, x in numbers.items() if math.isfinite(x)
    ]
    event = TensorBoardEvent(wall_time=time.time(), step=step, summary=Summary(value=values))
    return bytes(event.SerializeToString())


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)

"""What a run does at the moment, in a small file of its folder, for pages of other processes.

The database is the truth. This file only says in one small read what a list of runs shows, and how
far the training in progress is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eureka_agent.errors import StoreError
from eureka_agent.runs.directory import RunDir
from eureka_agent.utils.files import read_plain_file
from eureka_agent.utils.serialization import from_json

_MOST_BYTES = 1_000_000
_MOST_STEPS = 10**18

Activity = Literal["starting", "asking", "training", "waiting", "finished"]


@dataclass(frozen=True)
class MemberProgress:
    """One candidate, or one reference, of the work in progress."""

    name: str
    phase: str
    """Such as `training` or `failed`."""
    fitness: float | None = None
    """Of the training episodes that ended last; None if unknown, or without a fitness."""


@dataclass(frozen=True)
class RunProgressRecord:
    """A run at a moment."""

    task: str
    instruction: str
    fitness_unit: str | None
    """None if the instruction has no fitness."""
    started: str
    """Local time (ISO 8601)."""
    activity: Activity
    generations: int
    finished_generations: int
    generation: int | None = None
    """The generation in progress."""
    best: str | None = None
    """Name of the best candidate so far."""
    best_fitness: float | None = None
    cost: str = ""
    members: tuple[MemberProgress, ...] = ()
    environment_steps: int = 0
    """Of each member of the training in progress."""
    total_steps: int = 0
    """Of the whole training; 0 if nothing trains."""
    training_left_s: float | None = None
    run_left_s: float | None = None


def read_progress(run: RunDir) -> RunProgressRecord | None:
    """Return a run's progress; None if it has no such file, or a damaged one."""
    data = read_plain_file(run.progress, _MOST_BYTES)
    if data is None:
        return None
    try:
        record = from_json(RunProgressRecord, data.decode("utf-8"))
    except (StoreError, UnicodeDecodeError):
        return None
    steps = (record.environment_steps, record.total_steps)
    return record if all(0 <= each <= _MOST_STEPS for each in steps) else None

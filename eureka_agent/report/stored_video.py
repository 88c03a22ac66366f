"""Write a video of a stored run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mujoco

from eureka_agent.errors import UsageError
from eureka_agent.report.from_store import run_report
from eureka_agent.report.html.replay_page import recorded_replays
from eureka_agent.report.video import write_video
from eureka_agent.runs.directory import RunDir
from eureka_agent.runs.store import Store
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.tasks.registry import find_task


def write_run_video(run: RunDir, path: Path, names: Sequence[str] = ()) -> str:
    """Write the median episode of one of a run's rewards as an mp4 file.

    Args:
        run: The run, finished or not.
        path: The file.
        names: The reward's name; by default the best reward.

    Returns:
        The name of the reward that the video shows.

    Raises:
        StoreError: The run's database cannot be read.
        UsageError: There is more than one name or no such replay, or the file cannot be written.
    """
    if len(names) > 1:
        raise UsageError(f"A video shows one reward, got {len(names)}: {', '.join(names)}.")
    with Store.open(run.database, writable=False) as store:
        report = run_report(store)
        scene, shown = recorded_replays(store, report, names)
        model = _model_of(store)
    write_video(scene, shown[0].pack, path, model=model)
    return shown[0].label


def _model_of(store: Store) -> mujoco.MjModel | None:
    """Return the model of a run on one of the library's tasks; other code is never loaded."""
    if store.task.kept != "envs":
        return None
    try:
        task = find_task(store.task.name)
    except UsageError:
        return None
    return task.model if isinstance(task, MujocoTask) else None

"""Makes the trackers that a run uses, and tracks it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from eureka_agent.config import TrackerName
from eureka_agent.errors import UsageError
from eureka_agent.report.tracking.background import BackgroundTracking
from eureka_agent.report.tracking.listener import TrackingListener
from eureka_agent.report.tracking.tensorboard import TensorBoardTracker
from eureka_agent.report.tracking.tracker import Tracker
from eureka_agent.search.events import Event, Listener


def make_trackers(names: Sequence[TrackerName]) -> dict[TrackerName, Tracker]:
    """Return the trackers that `--log` names.

    Args:
        names: Their names; a name that is given twice counts once.

    Returns:
        One tracker for each name. Nothing is written before a run opens it.

    Raises:
        UsageError: A tracker's package is not installed, or it has no key and needs one.
    """
    return {name: _tracker(name) for name in names}


@contextmanager
def tracked(
    trackers: Mapping[TrackerName, Tracker], curves: Path, show: Listener | None
) -> Iterator[Listener]:
    """Track a run for the time of a `with` block; yields the listener that gets its events.

    Args:
        trackers: Trackers next to TensorBoard, which is always there.
        curves: TensorBoard's folder. What cannot be written there raises StoreError.
        show: Called with the failure of a tracker, which does not end the run.
    """
    tensorboard = TrackingListener(TensorBoardTracker(curves))
    with ExitStack() as stack:
        stack.callback(tensorboard.close)
        others = []
        for name, tracker in trackers.items():
            other = BackgroundTracking(name, tracker, show or _ignore)
            stack.callback(other.close)
            others.append(other)

        def track(event: Event) -> None:
            tensorboard(event)
            for other in others:
                other(event)

        yield track


def _tracker(name: TrackerName) -> Tracker:
    try:
        module = importlib.import_module(f"eureka_agent.report.tracking.{name}")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise UsageError(
            f"--log {name} needs {package}, which is not installed: pip install"
            f' "eureka-agent[{name}]"'
        ) from error
    tracker: Tracker = module.WandbTracker() if name == "wandb" else module.MlflowTracker()
    return tracker


def _ignore(event: Event) -> None:
    """Show nothing: nobody listens to the run."""

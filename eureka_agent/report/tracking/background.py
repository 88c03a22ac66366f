"""Tracking in a thread of its own: a slow or broken tracker never holds up or ends a search."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from eureka_agent.report.tracking.listener import TrackingListener
from eureka_agent.report.tracking.tracker import Tracker
from eureka_agent.search.events import Event, TrackingFailed
from eureka_agent.text import one_line
from eureka_agent.utils.redaction import redacted

_MOST_WAITING = 20_000
"""Events that may wait for a slow tracker; a training of 20 s emits a few hundred."""
_LONGEST_WAIT_S = 60.0
"""How long the end of a run waits for what the tracker has not sent yet."""
_LONGEST_MESSAGE = 300


class BackgroundTracking:
    """A listener that passes events to a tracker in another thread.

    The first failure ends the tracking and is reported once, in the thread of the search.
    """

    def __init__(
        self,
        name: str,
        tracker: Tracker,
        report: Callable[[TrackingFailed], None],
        *,
        longest_wait_s: float = _LONGEST_WAIT_S,
    ) -> None:
        """Start the thread.

        Args:
            name: What `--log` calls the tracker.
            tracker: The tracker; all its methods are called in the thread.
            report: Called once with the first failure, in the thread that calls this object.
            longest_wait_s: How long `close` waits for the tracker.
        """
        self._name = name
        self._listener = TrackingListener(tracker)
        self._report = report
        self._longest_wait_s = longest_wait_s
        self._waiting: queue.Queue[Event | None] = queue.Queue(_MOST_WAITING)
        self._failure: str | None = None
        self._reported = False
        self._thread = threading.Thread(target=self._work, name=f"{name} tracking", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Hand an event to the thread; it returns at once and raises nothing of the tracker's."""
        if self._failure is None:
            self._put(event)
        self._report_failure()

    def close(self) -> None:
        """Wait for the thread to end, for a limited time."""
        if self._failure is None:
            self._put(None)
            self._thread.join(self._longest_wait_s)
            if self._thread.is_alive():
                self._failure = f"it had not sent everything after {self._longest_wait_s:.0f} s"
        self._report_failure()

    def _put(self, event: Event | None) -> None:
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._failure = "it is slower than the search"

    def _report_failure(self) -> None:
        if self._failure is not None and not self._reported:
            self._reported = True
            self._report(TrackingFailed(self._name, self._failure))

    def _work(self) -> None:
        try:
            while self._failure is None and (event := self._waiting.get()) is not None:
                self._listener(event)
            self._listener.close()
        except Exception as error:  # noqa: BLE001  a tracker's library may raise anything
            words = redacted(str(error)) or type(error).__name__
            self._failure = self._failure or one_line(words, _LONGEST_MESSAGE)

"""Tracking in another thread: what fails or hangs there is reported once, and the run goes on."""

from __future__ import annotations

import threading

import pytest

from eureka_agent.report.tracking.background import BackgroundTracking
from eureka_agent.report.tracking.tracker import SearchInfo
from eureka_agent.search.events import Event, TrackingFailed
from tests.support import run_events as runs
from tests.support.recording_tracker import RecordingTracker


class Broken(RecordingTracker):
    """Fails when a training begins."""

    def open_training(self, name: str) -> None:
        raise ConnectionError("no route to\nhost, key sk-12345678")


class Hanging(RecordingTracker):
    """Waits for a server that never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = threading.Event()

    def open_search(self, search: SearchInfo) -> None:
        self.answer.wait()


def events() -> list[Event]:
    outcomes = [runs.outcome(0, runs.completion(0), runs.evaluation(1.0))]
    return [
        runs.run_started(runs.config()),
        *runs.generation(0, outcomes, outcomes[0]),
        runs.run_finished(outcomes, outcomes[0]),
    ]


def test_every_event_arrives_before_close_returns() -> None:
    tracker = RecordingTracker()
    failures: list[TrackingFailed] = []
    listener = BackgroundTracking("recorder", tracker, failures.append)
    for event in events():
        listener(event)
    listener.close()
    assert tracker.calls[-1] == ("close search",)
    assert tracker.result is not None
    assert len(tracker.curves["g0c0"]) == 3
    assert failures == []


def test_failure_is_reported_once_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "sk-12345678")
    failures: list[TrackingFailed] = []
    listener = BackgroundTracking("broken", Broken(), failures.append)
    for event in events():
        listener(event)
    listener.close()
    listener(events()[0])
    assert failures == [TrackingFailed("broken", "no route to host, key [WANDB_API_KEY]")]


def test_tracker_that_hangs_holds_up_neither_the_search_nor_its_end() -> None:
    tracker = Hanging()
    failures: list[TrackingFailed] = []
    listener = BackgroundTracking("hanging", tracker, failures.append, longest_wait_s=0.05)
    for event in events():
        listener(event)
    assert failures == []
    listener.close()
    tracker.answer.set()
    assert [each.tracker for each in failures] == ["hanging"]
    assert "had not sent everything after" in failures[0].reason


def test_events_wait_for_a_slow_tracker_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_agent.report.tracking.background._MOST_WAITING", 3)
    tracker = Hanging()
    failures: list[TrackingFailed] = []
    listener = BackgroundTracking("hanging", tracker, failures.append, longest_wait_s=0.05)
    for event in events() * 2:
        listener(event)
    listener.close()
    tracker.answer.set()
    assert failures == [TrackingFailed("hanging", "it is slower than the search")]

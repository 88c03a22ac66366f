"""A tracker that records its calls."""

from __future__ import annotations

from collections.abc import Mapping

from eureka_agent.report.tracking.tracker import SearchInfo, SearchResult


class RecordingTracker:
    """Keeps every call as a tuple, and the curves by training."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.curves: dict[str, list[tuple[int, Mapping[str, float]]]] = {}
        self.search: SearchInfo | None = None
        self.result: SearchResult | None = None
        self.results: dict[str, Mapping[str, float] | None] = {}

    def open_search(self, search: SearchInfo) -> None:
        self.search = search
        self.calls.append(("open search",))

    def open_training(self, name: str) -> None:
        self.calls.append(("open", name))
        self.curves[name] = []

    def log(self, name: str, numbers: Mapping[str, float], environment_steps: int) -> None:
        self.curves[name].append((environment_steps, numbers))

    def close_training(self, name: str, results: Mapping[str, float] | None) -> None:
        self.calls.append(("close", name))
        self.results[name] = results

    def close_search(self, result: SearchResult | None) -> None:
        self.calls.append(("close search",))
        self.result = result

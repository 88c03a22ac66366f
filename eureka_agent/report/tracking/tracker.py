"""What a tracker is: it keeps the curves and results of a search's trainings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Setting = str | int | float | bool


@dataclass(frozen=True)
class SearchInfo:
    """The search whose trainings are tracked."""

    name: str
    """Name of the run's folder."""
    folder: Path
    """The run's folder."""
    settings: Mapping[str, Setting]
    """What the search was started with, without addresses, paths and keys."""


@dataclass(frozen=True)
class SearchResult:
    """The end of a search."""

    numbers: Mapping[str, float]
    """Finite figures by name, such as the fitness of the best reward."""
    best: str | None
    """Name of the best candidate."""
    best_reward: Path | None
    """File with the code of the best reward, which has passed the checks."""
    report: str
    """Address of the report, which is a file on this machine."""


class Tracker(Protocol):
    """Keeps one record for each training, and one for the search that they belong to.

    Names are those of `TrainingStarted`: `g0c1`, `g0c1 seed 2`, `human reward`. All tags are safe
    (`numbers.component_tags`), and all numbers are finite. Any method may raise.
    """

    def open_search(self, search: SearchInfo) -> None:
        """Begin; called once, before anything else."""
        ...

    def open_training(self, name: str) -> None:
        """Begin the record of a training; it replaces an earlier one where that is possible."""
        ...

    def log(self, name: str, numbers: Mapping[str, float], environment_steps: int) -> None:
        """Add one point to the curves of a training that is open."""
        ...

    def close_training(self, name: str, results: Mapping[str, float] | None) -> None:
        """End the record of a training.

        Args:
            name: The training's.
            results: What its policy reached; None if it failed or the search ended before that.
        """
        ...

    def close_search(self, result: SearchResult | None) -> None:
        """End; called once, last. `result`: None if the search was stopped."""
        ...

"""The time limit of a run."""

from __future__ import annotations

import time


class TimeLimit:
    """Counts the minutes since it was made, that is since the start or the resume of a run."""

    def __init__(self, minutes: float | None) -> None:
        """Start the clock; the run has no limit if `minutes` is None."""
        self._minutes = minutes
        self._started = time.monotonic()
        self.reached: str | None = None
        """Says that the limit was found to be over, in one sentence; None until then."""

    def is_over(self) -> bool:
        """Return whether the time is over."""
        passed = (time.monotonic() - self._started) / 60.0
        if self._minutes is not None and passed >= self._minutes:
            self.reached = f"--max-wall-min {self._minutes:g} is over ({passed:.0f} minutes)."
        return self.reached is not None

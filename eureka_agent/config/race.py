"""How the candidates of a generation race."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from eureka_agent.errors import UsageError
from eureka_agent.utils.arguments import check_values, refuse_unknown_arguments


@refuse_unknown_arguments
@dataclass(frozen=True)
class Race:
    """Successive halving of candidates that train in parallel; see `training/racing.py`."""

    rungs: tuple[float, ...] = (0.04, 0.2, 0.3)
    """Shares of the training after which candidates are compared."""
    keep: tuple[float, ...] = (0.5, 0.375, 0.25)
    """Shares of the candidates that go on after each rung."""
    minimum: int = 1
    """The least number of candidates that train to the end."""
    keep_ties: bool = True
    """Whether a candidate that is not significantly worse (95 %) than the leader goes on as well.
    Without it a race uses at most the steps that the rungs imply, plus those of late bloomers."""

    def __post_init__(self) -> None:
        """Refuse a race that cannot work."""
        check_values(self)
        if len(self.rungs) > 100:
            raise UsageError(f"A race takes at most 100 rungs, got {len(self.rungs)}.")
        if not all(0.0 < a < b for a, b in pairwise((*self.rungs, 1.0))):
            rungs = " ".join(map(str, self.rungs))
            raise UsageError(f"The rungs of a race must rise between 0 and 1, got {rungs}.")
        falls = all(1.0 >= a >= b > 0.0 for a, b in pairwise((1.0, *self.keep)))
        if len(self.keep) != len(self.rungs) or not falls:
            raise UsageError(
                "A race needs a share to keep for each rung, from 1 downwards and above 0, got"
                f" {' '.join(map(str, self.keep))} for {len(self.rungs)} rungs."
            )
        if not 1 <= self.minimum <= 10_000:
            raise UsageError(f"A race's minimum must lie in 1 to 10,000, got {self.minimum}.")

    def survivors(self, candidates: int, rung: int) -> int:
        """Return how many of `candidates` candidates at the start go on after rung 0, 1, …"""
        return min(candidates, max(self.minimum, math.ceil(self.keep[rung] * candidates - 1e-9)))

    def share(self, candidates: int) -> float:
        """Return the least share of the environment steps of training every candidate fully."""
        alive = [candidates, *(self.survivors(candidates, i) for i in range(len(self.rungs)))]
        stretches = [end - start for start, end in pairwise((0.0, *self.rungs, 1.0))]
        return sum(n * stretch for n, stretch in zip(alive, stretches, strict=True)) / candidates

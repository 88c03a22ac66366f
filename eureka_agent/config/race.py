"""How the candidates of a generation race."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Race:
    """Successive halving of candidates that train in parallel; see `training/racing.py`."""

    rungs: tuple[float, ...] = (0.04, 0.2, 0.3)
    """Shares of the training after which candidates are compared."""
    keep: tuple[float, ...] = (0.5, 0.375, 0.25)
    """Shares of the candidates that go on after each rung."""
    minimum: int = 1
    """The least number of candidates that train to the end."""
    chance: bool = True
    """Whether a candidate that is not significantly worse (95 %) than the leader goes on as well.
    """

    def places(self, candidates: int, rung: int) -> int:
        """Return how many of `candidates` candidates at the start go on after rung 0, 1, …"""
        return min(candidates, max(self.minimum, math.ceil(self.keep[rung] * candidates - 1e-9)))

    def share(self, candidates: int) -> float:
        """Return the least share of the environment steps of training every candidate fully."""
        alive = [candidates, *(self.places(candidates, i) for i in range(len(self.rungs)))]
        stretches = [end - start for start, end in pairwise((0.0, *self.rungs, 1.0))]
        return sum(n * stretch for n, stretch in zip(alive, stretches, strict=True)) / candidates

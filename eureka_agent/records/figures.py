"""Where the variables of a task lie: figures for the first prompt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """How a number is distributed."""

    mean: float
    low: float
    """The 5 % quantile."""
    high: float
    """The 95 % quantile."""


@dataclass(frozen=True)
class FigureRow:
    """Figures of one state variable, of one of its entries, or of the distance to its goal."""

    name: str
    """As a prompt shows it, such as `torso_velocity[:, 0] (x)`."""
    unit: str
    start: Spread
    """In the initial states of episodes."""
    random: Spread
    """While random actions are taken."""
    trained: Spread | None
    """While the policy acts that a short training with the sparse reward gave, with exploration
    noise; None if that training failed, or if the sparse reward is for another instruction."""

    @property
    def is_constant(self) -> bool:
        """Whether it never changes."""
        spreads = [self.start, self.random, *([self.trained] if self.trained else [])]
        return all(each.low == each.high == self.start.low for each in spreads)


@dataclass(frozen=True)
class StateFigures:
    """Figures of a task's state variables."""

    environment_steps: int
    """Length of the short training."""
    rows: tuple[FigureRow, ...]

"""What the prompts of a run tell besides the task and the candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from eureka_agent.config import TrainingBudget
from eureka_agent.records import StateFigures


class FitnessEstimate(Protocol):
    """What a reward is worth as far as its trainings tell (`search.estimates.Estimate`)."""

    @property
    def value(self) -> float:
        """The estimate."""

    @property
    def low(self) -> float:
        """Lower end of its 95 % interval over training seeds; not finite if unknown."""

    @property
    def high(self) -> float:
        """Upper end of the interval."""

    @property
    def seeds(self) -> int:
        """Number of trainings."""


@dataclass(frozen=True)
class RunFacts:
    """Facts about a run; without them a prompt leaves out what they would tell."""

    budget: TrainingBudget | None = None
    """How each reward is trained."""
    algorithm: str = "PPO"
    """What it is trained with."""
    figures: StateFigures | None = None
    """Where the state variables lie."""
    estimates: Mapping[str, FitnessEstimate] = field(default_factory=dict)
    """Estimated fitness by a candidate's name; empty without a fitness."""
    built_on: Mapping[str, str] = field(default_factory=dict)
    """Name of a candidate's first parent by its own name."""

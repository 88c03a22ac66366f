"""The progress of a training, and its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eureka_agent.errors import CandidateError
from eureka_agent.records import TrainingRecord
from eureka_agent.training.policy import Policy


@dataclass(frozen=True)
class TrainResult:
    """The result of one candidate: a policy and its record, or the reason why there is none."""

    record: TrainingRecord | None
    policy: Policy | None
    error: CandidateError | None


@dataclass(frozen=True)
class Progress:
    """The progress of a training after an iteration; each tuple has one entry per candidate."""

    environment_steps: int
    """Per candidate so far; the mean of all where candidates train one after the other."""
    total_steps: int
    """Per candidate at the end."""
    steps_per_second: float
    """Of all candidates together, over the whole training so far."""
    seconds: float
    """Since the training began."""
    reward: tuple[float, ...]
    components: tuple[Mapping[str, float], ...]
    """Mean of each component per environment step of this iteration, by name; empty for candidates
    that have not started, that failed or that a race has stopped."""
    fitness: tuple[float, ...]
    """Of the episodes that ended in this iteration; NaN where none did."""
    episode_length: tuple[float, ...]
    kl: tuple[float, ...]
    """NaN, like the learning rate, where another library trains."""
    learning_rate: tuple[float, ...]
    alive: tuple[bool, ...]
    """False for candidates that failed or that a race has stopped."""

"""What a training with a reward gave."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

from eureka_agent.text import shortened, storable

Stage = Literal["extract", "check", "contract", "screening", "training", "internal"]
"""The stage at which a candidate failed; `internal`: it was lost through an error of ours."""


@dataclass(frozen=True)
class Failure:
    """Why a candidate has no fitness; `message` is one sentence that the proposer can act on."""

    stage: Stage
    message: str
    """At most 1,000 characters."""

    def __post_init__(self) -> None:
        """Shorten the message to one line, because line breaks have a meaning in prompts."""
        message = shortened(storable(" ".join(self.message.split())))
        object.__setattr__(self, "message", message)


@dataclass(frozen=True)
class Curve:
    """A number at about ten points of a training, and its range over the whole training."""

    name: str
    values: tuple[float, ...]
    maximum: float
    mean: float
    minimum: float

    @property
    def size(self) -> float:
        """The largest absolute value."""
        return max(abs(self.maximum), abs(self.minimum))

    def is_flat(self, share: float) -> bool:
        """Return whether the range is at most this share of the size."""
        return self.maximum - self.minimum <= share * self.size


@dataclass(frozen=True)
class TrainingRecord:
    """How a training went. Only the reflection uses it; fitness comes from `Evaluation`."""

    environment_steps: int
    seconds: float
    reward: Curve
    """Mean reward per environment step."""
    components: tuple[Curve, ...]
    """Mean of each named component per environment step."""
    fitness: Curve
    """Mean fitness of the episodes that ended, with exploration noise."""
    episode_length: Curve
    """Mean length of the episodes that ended, in environment steps."""
    correlations: Mapping[str, float] = field(default_factory=dict)
    """Correlation of each component's curve with the fitness curve (NaN if either is flat)."""
    diverged_envs: int = 0
    """Number of environments whose physics diverged during the training."""
    rungs: tuple[Rung, ...] = ()
    """What the policy reached at each rung of a race."""
    stopped: str | None = None
    """Why a race stopped this training early; None if it got its whole budget."""


@dataclass(frozen=True)
class Evaluation:
    """What the trained policy does without exploration, on fresh seeds, scored by trusted code."""

    fitness: float
    fitness_low: float
    fitness_high: float
    """95 % confidence interval of the mean over episodes."""
    episodes: int
    episode_length: float
    """Mean length in environment steps."""
    measures: Mapping[str, float] = field(default_factory=dict)
    """Further means per episode that the task reports, such as rotations."""


@dataclass(frozen=True, kw_only=True)
class RewardResult:
    """What a training gave: the fields that every record of a trained reward has."""

    failure: Failure | None = None
    """Why there is no evaluation."""
    training: TrainingRecord | None = None
    evaluation: Evaluation | None = None

    @property
    def environment_steps(self) -> int:
        """Environment steps spent on the training; 0 without one."""
        return self.training.environment_steps if self.training else 0

    @classmethod
    def of(cls, result: RewardResult, **own: Any) -> Self:
        """Return a record of this class: the fields of a `RewardResult` from `result`, and `own`.

        Args:
            result: Any record of a trained reward.
            **own: Fields of this class that `result` lacks or that replace its own.
        """
        shared = {each.name: getattr(result, each.name) for each in fields(RewardResult)}
        return cls(**(shared | own))


@dataclass(frozen=True)
class Rung:
    """Fitness of a candidate at a rung, from the episodes of its exploring environments."""

    environment_steps: int
    """Environment steps trained so far."""
    fitness: float
    fitness_low: float
    fitness_high: float
    """95 % confidence interval of the mean over iterations."""


@dataclass(frozen=True)
class Baseline(RewardResult):
    """A reference with the run's budget: the human reward, the sparse reward, random actions."""

    name: Literal["human", "sparse", "random"]
    evaluation: Evaluation = field(kw_only=True)


@dataclass(frozen=True)
class ReevaluationResult(RewardResult):
    """One training of the final comparison."""

    evaluation: Evaluation = field(kw_only=True)
    """Evaluation of the last policy, or of random actions if the training failed."""

    @property
    def peak(self) -> float:
        """Maximum of the training's fitness curve (about ten points, with exploration).

        Random actions' fitness if the training failed, NaN if no episode ended.
        """
        if self.training is None:
            return self.evaluation.fitness
        curve = [value for value in self.training.fitness.values if math.isfinite(value)]
        return max(curve, default=math.nan)


@dataclass(frozen=True)
class ReevaluationSeed:
    """The best reward and the references, trained with a seed that the search did not use."""

    seed: int
    best: ReevaluationResult
    human: ReevaluationResult | None
    """None if the task has no human reward."""
    sparse: ReevaluationResult

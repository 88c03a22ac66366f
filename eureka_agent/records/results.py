"""What a training with a reward gave."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from statistics import mean, stdev
from typing import Any, Literal, Self

from eureka_agent.records.behaviour import Behaviour
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
    seeds: int = 1
    """Number of trainings; above 1 all figures are means over them, and so is the interval."""


@dataclass(frozen=True, kw_only=True)
class RewardResult:
    """What a training gave: the fields that every record of a trained reward has."""

    failure: Failure | None = None
    """Why there is no evaluation."""
    training: TrainingRecord | None = None
    evaluation: Evaluation | None = None
    behaviour: Behaviour | None = None
    """What the policy did in the evaluation; None without a trained policy."""

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
class SeedResult(RewardResult):
    """A further training of a reward, with another seed."""

    seed: int
    """Number of the training seed: 1, 2, …"""
    evaluation: Evaluation = field(kw_only=True)
    """Evaluation of the last policy, or of random actions if the training failed."""


@dataclass(frozen=True, kw_only=True)
class SeededResult(RewardResult):
    """What several trainings gave; `training` and `evaluation` are those of seed 0."""

    more_seeds: tuple[SeedResult, ...] = ()
    """The trainings with the seeds 1, 2, …, in order."""

    @property
    def fitness_by_seed(self) -> tuple[float, ...]:
        """Fitness of each training, seed 0 first; empty if the first failed."""
        first = self.evaluation.fitness if self.evaluation else math.nan
        if not math.isfinite(first):
            return ()
        return (first, *(each.evaluation.fitness for each in self.more_seeds))

    @property
    def overall(self) -> Evaluation | None:
        """The evaluation over all training seeds; that of the only training if there is one."""
        if self.evaluation is None or not self.more_seeds or not self.fitness_by_seed:
            return self.evaluation
        trainings = [self.evaluation, *(each.evaluation for each in self.more_seeds)]
        half = _half_interval(self.fitness_by_seed)
        fitness = mean(self.fitness_by_seed)
        return Evaluation(
            fitness,
            fitness - half,
            fitness + half,
            episodes=sum(each.episodes for each in trainings),
            episode_length=mean(each.episode_length for each in trainings),
            measures={
                name: mean(each.measures.get(name, math.nan) for each in trainings)
                for name in self.evaluation.measures
            },
            seeds=len(trainings),
        )

    @property
    def environment_steps(self) -> int:
        """Environment steps spent on all trainings."""
        return super().environment_steps + sum(each.environment_steps for each in self.more_seeds)

    def up_to(self, seeds: int) -> Self:
        """Return the result without the trainings after the first `seeds`."""
        return replace(self, more_seeds=self.more_seeds[: max(0, seeds - 1)])


def _half_interval(values: Sequence[float]) -> float:
    """Return half the width of the 95 % interval of the mean (Student's t)."""
    from scipy.special import stdtrit  # noqa: PLC0415  records are imported where scipy is not

    return float(stdtrit(len(values) - 1, 0.975)) * stdev(values) / math.sqrt(len(values))


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
class Baseline(SeededResult):
    """A reference with the run's budget: the human reward, the sparse reward, random actions."""

    name: Literal["human", "sparse", "random"]
    evaluation: Evaluation = field(kw_only=True)

    @property
    def overall(self) -> Evaluation:
        """The evaluation over all training seeds."""
        return super().overall or self.evaluation


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
    """Different for each; several may have been trained at once, as draws from the first."""
    best: ReevaluationResult
    human: ReevaluationResult | None
    """None if the task has no human reward."""
    sparse: ReevaluationResult

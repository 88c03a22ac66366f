"""Candidates: what was proposed, and what became of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from eureka_agent.records.completions import Completion
from eureka_agent.records.results import Curve, SeededResult
from eureka_agent.records.scores import JudgeScore

INITIAL = -1
"""The generation of the search's initial reward; proposed generations count from 0."""


def candidate_name(generation: int, index: int) -> str:
    """Return the unique name of sample `index`: `g2c5`, or `start` for the initial reward."""
    return "start" if generation == INITIAL else f"g{generation}c{index}"


@dataclass(frozen=True)
class RewardSource:
    """The Python source of one reward function."""

    code: str
    parameters: tuple[str, ...]
    """The parameter names of `compute_reward` in order: state, `action`, `prev_<name>`, constants.
    """


@dataclass(frozen=True)
class Candidate:
    """A reward function that was proposed or given, or an answer without one (`reward` is None)."""

    generation: int
    completion: Completion
    reward: RewardSource | None
    fingerprint: str | None = None
    """Equal for rewards that compute the same, however they are written; None until known."""

    @property
    def index(self) -> int:
        """Index of the sample in its generation, from 0."""
        return self.completion.index

    @property
    def name(self) -> str:
        """Short name, unique in a run: `g2c5` is sample 5 of generation 2."""
        return candidate_name(self.generation, self.index)

    @property
    def is_initial(self) -> bool:
        """Whether this is the search's initial reward, which nobody proposed."""
        return self.generation == INITIAL


@dataclass(frozen=True)
class Outcome(SeededResult):
    """All that is known about a candidate once its generation is over."""

    candidate: Candidate
    reflection: str | None = None
    """What the next prompt says about this candidate; None until it is written."""
    duplicate_of: str | None = None
    """Name of the earlier candidate that computes the same; training and evaluation are copied from
    it."""
    sandbox: tuple[str, ...] = ()
    """The layers of the sandbox that were active while its reward ran."""
    distance_to_human: float | None = None
    """Distance from the task's human reward, 0 to 1 (`rewards/distance.py`); never in a prompt."""

    @property
    def fitness(self) -> float:
        """Mean fitness over the training seeds; -inf for a failure, which so never wins."""
        values = self.fitness_by_seed
        return sum(values) / len(values) if values else -math.inf

    def without_fitness(self) -> Outcome:
        """Return the outcome without the task's fitness, for an instruction of the user's own."""
        training, evaluation = self.training, self.evaluation
        if training is not None:
            training = replace(
                training, fitness=Curve("fitness", (), *(math.nan,) * 3), correlations={}, rungs=()
            )
        if evaluation is not None:
            nan = math.nan
            evaluation = replace(
                evaluation, fitness=nan, fitness_low=nan, fitness_high=nan, measures={}
            )
        behaviour = self.behaviour.without_fitness() if self.behaviour else None
        return replace(
            self, training=training, evaluation=evaluation, behaviour=behaviour, more_seeds=()
        )


@dataclass(frozen=True)
class Feedback:
    """A judge's verdict on one generation."""

    generation: int
    ranking: tuple[str, ...] = ()
    """Names of trained candidates, best first. The first becomes the next parent; the last of two
    or more is reported to the model as the worst. Candidates that are not named lie between. Empty:
    no ranking; fitness decides, or the previous best is kept."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Comments by candidate name. The next prompt quotes them verbatim."""
    stop: bool = False
    """End the search here with the best so far."""
    edited: Mapping[str, str] = field(default_factory=dict)
    """Source of a reward that the judge wrote, by the name of the candidate that it is an edit of.
    Each joins the next generation as a candidate of its own."""
    scores: Mapping[str, JudgeScore] = field(default_factory=dict)
    """How far each policy fulfils the instruction, by candidate name; empty if the judge only
    ranks."""
    unanswered: bool = False
    """Whether the time for an answer passed without one, so that the search went on by itself."""

    @property
    def worst(self) -> str | None:
        """Name of the lowest-ranked candidate; None for a ranking of fewer than two."""
        return self.ranking[-1] if len(self.ranking) > 1 else None

    def about(self, names: Collection[str]) -> Feedback:
        """Return the feedback on these candidates."""
        ranking = tuple(name for name in self.ranking if name in names)
        return replace(
            self,
            ranking=ranking,
            words={name: words for name, words in self.words.items() if name in names},
            scores={name: score for name, score in self.scores.items() if name in names},
        )


@dataclass(frozen=True)
class Generation:
    """One finished generation: its outcomes in sample order, the run's best so far, feedback."""

    index: int
    outcomes: tuple[Outcome, ...]
    best: Outcome | None
    feedback: Feedback | None = None
    """None if no judge was asked."""

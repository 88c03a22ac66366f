"""What a prompt says of the search so far: a table, the last turns, the worst, component ranks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eureka_agent.prompting.facts import FitnessEstimate, RunFacts
from eureka_agent.prompting.ideas import idea_of, plan_of
from eureka_agent.records import TIME_LIMIT, Outcome

_ROWS = 12
"""Number of the best candidates in the table, besides those of the last generation."""
_TURNS = 4
_WORST = 2
_FEWEST_WITH_WORST = 6
_FEWEST_RANKED = 5
"""The fewest candidates for a rank correlation."""
_RANKED_COMPONENTS = 6


@dataclass(frozen=True)
class CandidateLine:
    """A trained candidate as the prompt lists it."""

    outcome: Outcome
    idea: str
    """Its idea in one line."""
    plan: str
    """Its plan, one longer line."""
    estimate: FitnessEstimate | None
    """Its estimated fitness; None without a fitness."""

    @property
    def has_interval(self) -> bool:
        """Whether the interval over seeds is known."""
        return self.estimate is not None and math.isfinite(self.estimate.high - self.estimate.low)

    @property
    def trainings(self) -> int:
        """Number of trainings; a candidate with more is the better known one."""
        return self.estimate.seeds if self.estimate else 1

    @property
    def early_share(self) -> float | None:
        """Share of the evaluation's episodes that ended before the time limit; None: unknown."""
        behaviour = self.outcome.behaviour
        if behaviour is None:
            return None
        whole = sum(end.episodes for end in behaviour.ends if end.cause == TIME_LIMIT)
        return 1.0 - whole / behaviour.episodes


@dataclass(frozen=True)
class Turn:
    """The best candidate of a generation, and what it was built on."""

    generation: int
    best: CandidateLine
    base: CandidateLine | None


@dataclass(frozen=True)
class ComponentRank:
    """How a component's size agrees with fitness over the candidates that have it."""

    name: str
    candidates: int
    agreement: float
    """Kendall's tau-b (Kendall 1945), -1 to 1."""


@dataclass(frozen=True)
class History:
    """The search so far, as a prompt tells it."""

    table: tuple[CandidateLine, ...]
    left_out: int
    """Number of trained candidates that are not in the table."""
    failures: int
    """Number of candidates that failed before or in training."""
    turns: tuple[Turn, ...]
    worst: tuple[CandidateLine, ...]
    ranks: tuple[ComponentRank, ...]


def history_of(history: Sequence[Outcome], parents: Sequence[Outcome], facts: RunFacts) -> History:
    """Return what a prompt says of the search so far.

    Args:
        history: Outcomes of the search, oldest first.
        parents: The parents that the prompt shows with their code.
        facts: Estimates, and what each candidate was built on.
    """
    distinct = [each for each in history if each.evaluation and each.duplicate_of is None]
    lines = [_line(outcome, facts.estimates) for outcome in distinct]
    ranked = sorted(lines, key=lambda line: -_worth(line))
    last = max((outcome.candidate.generation for outcome in history), default=0)
    shown = {line.outcome.candidate.name for line in ranked[:_ROWS]}
    table = [
        line
        for line in ranked
        if line.outcome.candidate.name in shown or line.outcome.candidate.generation == last
    ]
    has_fitness = any(line.estimate for line in lines)
    return History(
        tuple(table),
        left_out=len(lines) - len(table),
        failures=sum(1 for outcome in history if outcome.failure),
        turns=_turns(lines, facts.built_on) if has_fitness else (),
        worst=_worst(ranked, parents) if has_fitness else (),
        ranks=_component_ranks(lines, parents) if has_fitness else (),
    )


def _line(outcome: Outcome, estimates: Mapping[str, FitnessEstimate]) -> CandidateLine:
    estimate = estimates.get(outcome.candidate.name)
    return CandidateLine(outcome, idea_of(outcome), plan_of(outcome), estimate)


def _worth(line: CandidateLine) -> float:
    return line.estimate.value if line.estimate else -math.inf


def _turns(lines: Sequence[CandidateLine], built_on: Mapping[str, str]) -> tuple[Turn, ...]:
    """Return the last turns, oldest first; the initial reward is not one."""
    by_name = {line.outcome.candidate.name: line for line in lines}
    proposed = [line for line in lines if not line.outcome.candidate.is_initial]
    generations = sorted({line.outcome.candidate.generation for line in proposed})
    turns = []
    for generation in generations[-_TURNS:]:
        members = [line for line in proposed if line.outcome.candidate.generation == generation]
        best = max(members, key=lambda line: (line.trainings, _worth(line)))
        base = by_name.get(built_on.get(best.outcome.candidate.name, ""))
        turns.append(Turn(generation, best, base))
    return tuple(turns)


def _worst(
    ranked: Sequence[CandidateLine], parents: Sequence[Outcome]
) -> tuple[CandidateLine, ...]:
    """Return the worst candidates, the worst last, where there are enough to tell them apart."""
    shown = {parent.candidate.name for parent in parents}
    others = [line for line in ranked if line.outcome.candidate.name not in shown]
    return tuple(others[-_WORST:]) if len(ranked) >= _FEWEST_WITH_WORST else ()


# ---------------------------------------------------------------------- components
def _component_ranks(
    lines: Sequence[CandidateLine], parents: Sequence[Outcome]
) -> tuple[ComponentRank, ...]:
    """Return how each component of the parents agrees with fitness, the most frequent first.

    It is over candidates and not over the course of a training, where everything rises together.
    """
    names: dict[str, None] = {}
    for parent in parents:
        components = parent.training.components if parent.training else ()
        names |= dict.fromkeys(component.name for component in components)
    ranks = [_component_rank(name, lines) for name in names]
    found = [rank for rank in ranks if rank is not None]
    found.sort(key=lambda rank: -rank.candidates)
    return tuple(found[:_RANKED_COMPONENTS])


def _component_rank(name: str, lines: Sequence[CandidateLine]) -> ComponentRank | None:
    """Return the agreement of a component's last value with fitness; None if it is unknown."""
    pairs = [
        (size, _worth(line)) for line in lines if (size := _last_value(line, name)) is not None
    ]
    if len(pairs) < _FEWEST_RANKED:
        return None
    agreement = _kendall([size for size, _ in pairs], [worth for _, worth in pairs])
    return None if math.isnan(agreement) else ComponentRank(name, len(pairs), agreement)


def _last_value(line: CandidateLine, name: str) -> float | None:
    training = line.outcome.training
    curves = [curve for curve in training.components if curve.name == name] if training else []
    values = curves[0].values if curves else ()
    return values[-1] if values and math.isfinite(values[-1]) else None


def _kendall(x: Sequence[float], y: Sequence[float]) -> float:
    """Return Kendall's tau-b; NaN if either is constant."""
    from scipy.stats import kendalltau  # noqa: PLC0415 - takes half a second

    if len(set(x)) < 2 or len(set(y)) < 2:
        return math.nan
    return float(kendalltau(x, y).statistic)

"""Where a generation's candidates come from: small functions from history to plans.

A strategy says, for each generation, which samples build on which outcomes, and which outcomes they
are told of. All spend the same number of trainings; what each is worth is measured in
`docs/search.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from eureka_agent.config import SynthesisConfig
from eureka_agent.records import OPERATORS, Operator, Outcome

LINEAGE = 3
"""Outcomes that a prompt shows to explain how the best came about; no operator has more parents."""
Best = Callable[[Sequence[Outcome]], Outcome | None]
"""The best of some outcomes, by fitness or by a person's word; None where none will do as a
parent."""


@dataclass(frozen=True)
class Plan:
    """Samples that are asked for with one prompt."""

    samples: tuple[int, ...]
    """Places in the generation, from 0."""
    parents: tuple[Outcome, ...] = ()
    """Outcomes to improve on, best first."""
    history: tuple[Outcome, ...] = ()
    """Outcomes that the proposer is told of."""
    operator: Operator = ""


class Strategy(Protocol):
    """Plans generation `g` of `samples` candidates from all outcomes before it."""

    def __call__(self, g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
        """Return plans that share the samples out among them, each exactly once."""
        ...


def greedy(g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
    """Every candidate builds on the best of all before it (Eureka, Ma et al. 2024, algorithm 1)."""
    return [_plan(range(samples), history, best)]


def random(g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
    """Every candidate starts from nothing: what any search has to beat."""
    return [Plan(tuple(range(samples)))]


def restarts(every: int) -> Strategy:
    """Return greedy search that forgets everything before each `every`-th generation but what it
    was given.

    The paper's protocol: five searches of five generations; a first generation without luck costs
    one of them only.
    """

    def plan(g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
        start = g - g % every
        known = [o for o in history if o.candidate.is_initial or o.candidate.generation >= start]
        return [_plan(range(samples), known, best)]

    return plan


def islands(count: int, migrate_every: int = 2) -> Strategy:
    """Return `count` greedy searches side by side, each with its share of the samples.

    What the search was given to start from belongs to all of them. Before each `migrate_every`-th
    generation the island whose best is the worst takes over the best of all as its parent (Tanese
    1989; FunSearch, Romera-Paredes et al. 2024, resets the worse half in the same way).
    """

    def plan(g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
        plans = []
        for island in range(count):
            members = [
                o
                for o in history
                if o.candidate.is_initial or _island_of(o, samples, count) == island
            ]
            places = [
                sample for sample in range(samples) if _island(sample, samples, count) == island
            ]
            plans.append(_plan(places, members, best))
        if g > 0 and g % migrate_every == 0 and (champion := best(history)) is not None:
            worst = _worst(plans, best)
            plans[worst] = Plan(
                plans[worst].samples, (champion,), (*plans[worst].history, champion)
            )
        return plans

    return plan


def _worst(plans: Sequence[Plan], best: Best) -> int:
    """Return the island whose parent all others beat: one that has none, or the last when `best`
    took the others."""
    left = list(range(len(plans)))
    while len(left) > 1 and all(plans[k].parents for k in left):
        winner = best([plans[k].parents[0] for k in left])
        if winner is None:  # nobody said anything of those that are left
            break
        left.remove(next(k for k in left if plans[k].parents[0] is winner))
    return next((k for k in left if not plans[k].parents), left[-1])


def with_operators(strategy: Strategy) -> Strategy:
    """Return a strategy that asks for another operator with each sample that has a parent, in turn.

    `cross` shows the two best, `lineage` the best of each generation so far (of its plan's
    history).
    """

    def plan(g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
        plans = []
        for each in strategy(g, samples, history, best):
            if not each.parents:
                plans.append(each)
                continue
            for operator in OPERATORS:
                places = tuple(
                    sample
                    for sample in each.samples
                    if OPERATORS[sample % len(OPERATORS)] == operator
                )
                if places:
                    shown = _parents(operator, each, best)
                    alone = (
                        operator == "cross" and len(shown) < 2
                    )  # as long as there is only what was given
                    plans.append(Plan(places, shown, each.history, "" if alone else operator))
        return plans

    return plan


def _parents(operator: Operator, plan: Plan, best: Best) -> tuple[Outcome, ...]:
    first = plan.parents[0]
    if operator == "cross":
        second = best(
            [
                outcome
                for outcome in plan.history
                if outcome.candidate.fingerprint != first.candidate.fingerprint
            ]
        )
        return (first,) if second is None else (first, second)
    if operator == "lineage":
        generations = sorted({o.candidate.generation for o in plan.history}, reverse=True)
        bests = (
            best([o for o in plan.history if o.candidate.generation == g]) for g in generations
        )
        others = [o for o in bests if o is not None and o.candidate.name != first.candidate.name]
        return (first, *others[: LINEAGE - 1])
    return plan.parents


def make_strategy(config: SynthesisConfig) -> Strategy:
    """Return the strategy that a run's config names."""
    strategy = _named_strategy(config)
    return with_operators(strategy) if config.vary_instructions else strategy


def _named_strategy(config: SynthesisConfig) -> Strategy:
    match config.strategy:
        case "islands":
            return islands(config.islands)
        case "restarts":
            return restarts(config.restart_every)
        case "greedy":
            return greedy
    return random


def _plan(samples: Sequence[int], history: Sequence[Outcome], best: Best) -> Plan:
    parent = best(history)
    return Plan(tuple(samples), () if parent is None else (parent,), tuple(history))


def _island_of(outcome: Outcome, samples: int, count: int) -> int:
    return _island(outcome.candidate.index % samples, samples, count)


def _island(sample: int, samples: int, count: int) -> int:
    """Return the island that has a place of a generation: neighbours share one, sizes differ by one
    at most."""
    return sample * count // samples

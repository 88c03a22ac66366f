"""Strategies: which samples of a generation build on which outcomes, and which outcomes they see.

All strategies spend the same number of trainings; `docs/search.md` compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from eureka_agent.config import SynthesisConfig
from eureka_agent.records import SAMPLE_ROLES, Outcome, SampleRole

PARENTS = 3
"""The most parents of a sample: the best, and others whose ideas can be combined with it."""
Best = Callable[[Sequence[Outcome]], Outcome | None]
"""Returns the best of some outcomes by fitness or feedback, or None if none can be a parent."""


@dataclass(frozen=True)
class Plan:
    """Samples of a generation that one prompt asks for."""

    samples: tuple[int, ...]
    """Positions in the generation, from 0."""
    parents: tuple[Outcome, ...] = ()
    """Outcomes to improve on, best first."""
    history: tuple[Outcome, ...] = ()
    """Outcomes that the prompt reports."""
    role: SampleRole | None = None
    """What the prompt asks these samples to do with the parents; None without parents."""


class Strategy(Protocol):
    """Plans the candidates of a generation from all earlier outcomes."""

    def __call__(self, g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
        """Plan generation `g`.

        Args:
            g: The generation's index, from 0.
            samples: Its number of candidates.
            history: All outcomes of earlier generations, in order.
            best: Chooses the best of some outcomes.

        Returns:
            Plans that together contain each sample exactly once.
        """
        ...


def greedy(g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
    """Build every candidate on the best of all before it (Eureka, Ma et al. 2024, algorithm 1)."""
    return [_plan(range(samples), history, best)]


def random(g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
    """Write every candidate from the task alone: the baseline of any search."""
    return [Plan(tuple(range(samples)))]


def restarts(every: int) -> Strategy:
    """Return greedy search that forgets all outcomes before each `every`-th generation, except the
    initial reward.

    This is the paper's protocol: five searches of five generations, so an unlucky first generation
    costs only one of them.
    """

    def plan(g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
        start = g - g % every
        known = [o for o in history if o.candidate.is_initial or o.candidate.generation >= start]
        return [_plan(range(samples), known, best)]

    return plan


def islands(count: int, migrate_every: int = 2) -> Strategy:
    """Return `count` parallel greedy searches, each with its share of the samples.

    The initial reward belongs to all of them. Before each `migrate_every`-th generation the island
    with the worst best outcome takes the best of all as its parent (Tanese 1989; FunSearch,
    Romera-Paredes et al. 2024, resets the worse half in the same way).
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
    """Return the index of the island with the worst parent.

    That is one without a parent, or the last one left after `best` chose all others.
    """
    left = list(range(len(plans)))
    while len(left) > 1 and all(plans[k].parents for k in left):
        winner = best([plans[k].parents[0] for k in left])
        if winner is None:  # no feedback on those that are left
            break
        left.remove(next(k for k in left if plans[k].parents[0] is winner))
    return next((k for k in left if not plans[k].parents), left[-1])


def with_roles(strategy: Strategy) -> Strategy:
    """Return a strategy whose samples with a parent have further parents, and roles in turn.

    The roles continue from one generation to the next, so that a search of few samples has them
    all.
    """

    def plan(g: int, samples: int, history: Sequence[Outcome], best: Best) -> list[Plan]:
        plans = []
        for each in strategy(g, samples, history, best):
            plans += _split_by_role(each, g * samples, best) if each.parents else [each]
        return plans

    return plan


def _split_by_role(plan: Plan, first: int, best: Best) -> list[Plan]:
    """Return one plan for each role that a sample of `plan` has.

    `first` is the number of samples of earlier generations.
    """
    parents = _parents(plan, best)
    # A single reward cannot be combined with another one.
    roles = [role for role in SAMPLE_ROLES if role != "combine" or len(parents) > 1]
    plans = []
    for number, role in enumerate(roles):
        samples = tuple(s for s in plan.samples if (first + s) % len(roles) == number)
        if samples:
            plans.append(Plan(samples, parents, plan.history, role))
    return plans


def _parents(plan: Plan, best: Best) -> tuple[Outcome, ...]:
    """Return the plan's parent, and the best of the others that compute something else."""
    parents = [plan.parents[0]]
    while len(parents) < PARENTS:
        known = {parent.candidate.name for parent in parents}
        known |= {fingerprint for p in parents if (fingerprint := p.candidate.fingerprint)}
        others = [
            outcome
            for outcome in plan.history
            if not {outcome.candidate.name, outcome.candidate.fingerprint} & known
        ]
        following = best(others)
        if following is None:
            break
        parents.append(following)
    return tuple(parents)


def make_strategy(config: SynthesisConfig) -> Strategy:
    """Return the strategy that a config names, with roles for its samples.

    Args:
        config: `search.strategy`.
    """
    return with_roles(_named_strategy(config))


def _named_strategy(config: SynthesisConfig) -> Strategy:
    match config.search.strategy_name:
        case "islands":
            return islands(config.search.strategy_number)
        case "restarts":
            return restarts(config.search.strategy_number)
        case "greedy":
            return greedy
    return random


def _plan(samples: Sequence[int], history: Sequence[Outcome], best: Best) -> Plan:
    parent = best(history)
    return Plan(tuple(samples), () if parent is None else (parent,), tuple(history))


def _island_of(outcome: Outcome, samples: int, count: int) -> int:
    return _island(outcome.candidate.index % samples, samples, count)


def _island(sample: int, samples: int, count: int) -> int:
    """Return the island of a sample: neighbours share one, and sizes differ by one at most."""
    return sample * count // samples

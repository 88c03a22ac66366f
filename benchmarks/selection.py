"""Compare rules that choose the best reward of a search, on made-up rewards of known worth.

A real search does not tell what its rewards are worth, so this one draws them: each reward learns
the task with a probability of its own, and a training that learns reaches a level of its own
(`success`), or all trainings of a reward differ by normal noise (`noise`). Later generations have
better rewards. The seeds that a candidate gets, the estimates and the rules are those of the
library; nothing is trained.

Printed for each rule: the mean worth of the reward that a search chooses with its standard error,
the share of the best reward's worth, the announced figure as a multiple of the worth, as the mean
over the reward's trainings and as the estimate, and the number of trainings.
Run with `python -m benchmarks.selection`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import tyro

from benchmarks.measure import table
from eureka_agent.config.search import SearchConfig
from eureka_agent.search.estimates import (
    Estimate,
    estimate_group,
    pooled_noise,
    probability_better,
)

Kind = Literal["success", "noise"]
Fitness = Mapping[tuple[int, int], Sequence[float]]
Rule = Callable[[Fitness, Sequence[tuple[int, int]]], tuple[int, int]]
"""Chooses one of the candidates that have the fitness of their trainings."""
_UNLIKELY = 0.05


def main(
    searches: int = 500,
    generations: int = 3,
    sizes: tuple[str, ...] = ("12x1", "6x4", "24x1", "12x4"),
    quick: bool = False,
) -> None:
    """Print one table for each kind of luck.

    Args:
        searches: Searches of each rule.
        generations: Generations of each.
        sizes: Rewards in a generation and most seeds of each.
        quick: Few searches: only shows that it runs.
    """
    searches = 5 if quick else searches
    for kind in ("success", "noise"):
        rows = []
        for size in sizes:
            samples, seeds = (int(number) for number in size.split("x"))
            rules = RULES if seeds > 1 else {"mean": by_mean}
            for name, rule in rules.items():
                random = np.random.default_rng(0)
                found = [
                    Search(random, kind).run(generations, samples, seeds, rule)
                    for _ in range(searches)
                ]
                rows.append((size, name, *_figures(np.array(found))))
        header = ("size", "rule", "worth", "of the best", "mean", "estimate", "trainings")
        table(f"luck: {kind}, {searches} searches of {generations} generations", header, rows)


def by_mean(fitness: Fitness, names: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Choose the highest mean among those with the most trainings: the library's rule."""
    most = max(len(fitness[name]) for name in names)
    return max(
        (name for name in names if len(fitness[name]) == most),
        key=lambda name: float(np.mean(fitness[name])),
    )


def by_estimate(fitness: Fitness, names: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Choose the highest shrunken mean."""
    known = estimates(fitness)
    return max(names, key=lambda name: known[name].value)


def by_probability(fitness: Fitness, names: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Replace the earliest, the best so far, only by one that is better with 70 %."""
    known = estimates(fitness)
    challenger = max(names, key=lambda name: known[name].value)
    better = probability_better(known[challenger], known[names[0]]) > 0.7
    return challenger if better else names[0]


RULES: Mapping[str, Rule] = {
    "mean": by_mean,
    "estimate": by_estimate,
    "probability": by_probability,
}


def estimates(fitness: Fitness) -> dict[tuple[int, int], Estimate]:
    """Return the estimates of all candidates; each generation is a group."""
    noise = pooled_noise(list(fitness.values()))
    found: dict[tuple[int, int], Estimate] = {}
    for generation in {name[0] for name in fitness}:
        group = {f"{g} {i}": values for (g, i), values in fitness.items() if g == generation}
        for name, estimate in estimate_group(group, noise).items():
            g, i = name.split()
            found[int(g), int(i)] = estimate
    return found


@dataclass
class Search:
    """One search among made-up rewards."""

    random: np.random.Generator
    kind: Kind
    fitness: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    rewards: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    """Probability of success and level of each reward."""

    def run(
        self, generations: int, samples: int, seeds: int, rule: Rule
    ) -> tuple[float, float, float, float, int]:
        """Return worth of the chosen and of the best, mean, estimate, number of trainings."""
        config = SearchConfig(samples=samples, seeds=seeds)
        best: list[tuple[int, int]] = []
        for g in range(generations):
            names = [(g, index) for index in range(samples)]
            for name in names:
                self.rewards[name] = self._reward(g)
                self._train(name)
            for seed in range(1, seeds):
                self._train_further(names, best, seed, config.places(samples, seed))
            best = [rule(self.fitness, [*best, *names])]
        chosen = best[0]
        return (
            self._worth(chosen),
            max(map(self._worth, self.rewards)),
            float(np.mean(self.fitness[chosen])),
            estimates(self.fitness)[chosen].value,
            sum(map(len, self.fitness.values())),
        )

    def _train_further(
        self, names: list[tuple[int, int]], best: list[tuple[int, int]], seed: int, places: int
    ) -> None:
        """Train the promising candidates and the best so far again, as `search/intensify.py`."""
        known = estimates({name: values[:seed] for name, values in self.fitness.items()})
        members = [name for name in names if len(self.fitness[name]) == seed]
        members = sorted(members, key=lambda name: -known[name].value)[:places]
        if best and seed > 1:
            incumbent = known[best[0]]
            members = [n for n in members if probability_better(known[n], incumbent) >= _UNLIKELY]
        for name in [*members, *best] if members else []:
            if len(self.fitness[name]) <= seed:
                self._train(name)

    def _reward(self, g: int) -> tuple[float, float]:
        if self.kind == "success":
            return self.random.beta(0.7 + 0.3 * g, 1.5), self.random.normal(2.3, 0.3)
        return 1.0, 150.0 + 330.0 * self.random.beta(1.2 + 0.5 * g, 1.6)

    def _train(self, name: tuple[int, int]) -> None:
        probability, level = self.rewards[name]
        if self.kind == "noise":
            value = level + self.random.normal(0.0, 60.0)
        elif self.random.random() < probability:
            value = level * self.random.normal(1.0, 0.1)
        else:
            value = level * self.random.uniform(0.0, 0.6)
        self.fitness.setdefault(name, []).append(float(value))

    def _worth(self, name: tuple[int, int]) -> float:
        """Return the mean fitness of a reward over all seeds."""
        probability, level = self.rewards[name]
        return level * (probability + (1.0 - probability) * 0.3)


def _figures(found: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> tuple[str, ...]:
    worth, top, mean, estimate, trainings = found.T
    error = worth.std(ddof=1) / np.sqrt(len(worth))
    return (
        f"{worth.mean():.4g} ({error:.2g})",
        f"{worth.sum() / top.sum():.0%}",
        f"{mean.sum() / worth.sum():.2f}",
        f"{estimate.sum() / worth.sum():.2f}",
        f"{trainings.mean():.0f}",
    )


if __name__ == "__main__":
    tyro.cli(main)

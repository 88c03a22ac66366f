"""Train the promising candidates of a generation again, with further seeds.

One training says little of a reward. As in algorithm configuration (SMAC: Hutter et al. 2011,
"intensify"; irace: López-Ibáñez et al. 2016), where configurations are compared over instances, the
candidates are compared here over training seeds: half of a generation is trained with a second
seed, a quarter of it with a third, and so on, but two at least. All of them share the seeds with
the best so far and with the human and the sparse reward. This ends early when no candidate is
likely to be better than the best so far.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from eureka_agent.extract.reading import checked_again
from eureka_agent.records import Baseline, Outcome, SeedResult
from eureka_agent.runs.store import Store
from eureka_agent.search.estimates import estimates_of, probability_better
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import Listener, SeedTrained
from eureka_agent.search.initial_policies import InitialPolicies
from eureka_agent.search.outcomes import OutcomeWriter
from eureka_agent.search.selection import best_so_far, named
from eureka_agent.training.job import JobReward, TrainedReward

_SEED = 7_368_787
"""Training seed `n` is the run's seed plus `n` times this; final trainings have others."""
_UNLIKELY = 0.05
"""A candidate that is better than the best so far with less than this probability is given up."""


class Intensifier:
    """Trains candidates of a run with further seeds and stores the results."""

    def __init__(
        self, store: Store, evaluator: Evaluator, writer: OutcomeWriter, emit: Listener
    ) -> None:
        self._store = store
        self._evaluator = evaluator
        self._writer = writer
        self._emit = emit
        self._config = store.config
        self._initial_policies = InitialPolicies(store)

    def run(self, g: int, enough: Callable[[], bool]) -> None:
        """Train candidates of generation `g` with further seeds, until the best is settled.

        What is stored already is not trained again. Which candidates are trained depends on the
        earlier seeds alone, so a run that was killed ends as it would have.

        Args:
            g: The generation, whose outcomes are stored.
            enough: Called before each seed; true if a limit of the run excludes further trainings.

        Raises:
            StoreError: The database cannot be written.
            TaskError: The task's code failed.
        """
        if not self._config.task.has_fitness:
            return
        for seed in range(1, self._config.search.seeds):
            chosen = self._contenders(g, seed)
            if not chosen or enough():
                return
            self._train(g, seed, chosen)

    def _contenders(self, g: int, seed: int) -> list[Outcome]:
        """Return the outcomes to train with a seed: the best of the generation, the best before it.

        They are compared on the seeds before this one, which all of them have.
        """
        history = [outcome.up_to(seed) for outcome in self._store.outcomes_until(g)]
        estimates = estimates_of(history, self._baselines(seed))
        trained = [o for o in history if o.candidate.generation == g and o.fitness_by_seed]
        members = [o for o in trained if o.duplicate_of is None and len(o.fitness_by_seed) == seed]
        members.sort(key=lambda outcome: -estimates[outcome.candidate.name].value)
        chosen = members[: self._config.search.places(len(trained), seed)]
        incumbent = named(history, self._incumbent(g))
        if incumbent is None or not incumbent.fitness_by_seed:  # a ranking may choose any
            return chosen
        if seed > 1:
            best = estimates[incumbent.candidate.name]
            chosen = [
                each
                for each in chosen
                if probability_better(estimates[each.candidate.name], best) >= _UNLIKELY
            ]
        return [*chosen, incumbent] if chosen else []

    def _incumbent(self, g: int) -> str:
        """Return the name of the best before generation `g`, or an empty string.

        It is stored: its further trainings must not change the choice when a run is resumed.
        """
        key = f"best before g{g}"
        stored = self._store.metadata(key)
        if stored is None:
            best = best_so_far(
                self._store.outcomes_until(g - 1), self._store.feedback(), has_fitness=True
            )
            stored = best.candidate.name if best is not None else ""
            self._store.save_metadata(key, stored)
        return stored

    def _baselines(self, seed: int) -> list[Baseline]:
        return [baseline.up_to(seed) for baseline in self._store.baselines()]

    # ------------------------------------------------------------------ train
    def _train(self, g: int, seed: int, chosen: Sequence[Outcome]) -> None:
        """Train rewards that lack a seed, with the references that lack it, and store the results.

        They are one population if the trainer can train them together.
        """
        names = {outcome.candidate.name for outcome in chosen}
        waiting: list[Outcome | Baseline] = [
            outcome
            for outcome in self._store.outcomes()
            if outcome.candidate.name in names and len(outcome.more_seeds) < seed
        ]
        waiting += [
            baseline
            for baseline in self._store.baselines()
            if baseline.name != "random" and len(baseline.more_seeds) < seed
        ]
        groups = [waiting] if self._evaluator.trains_together else [[each] for each in waiting]
        seeded = self._evaluator.with_seed(training_seed(self._config.search.seed, seed))
        for group in groups:
            if group:
                self._train_group(g, seed, group, seeded)

    def _train_group(
        self, g: int, seed: int, group: Sequence[Outcome | Baseline], seeded: Evaluator
    ) -> None:
        started = time.monotonic()
        trained = seeded.train([self._job_reward(each, g, seed) for each in group])
        outcomes: list[tuple[Outcome, bytes | None]] = []
        baselines: list[Baseline] = []
        fitness: dict[str, float] = {}
        replays: dict[str, bytes | None] = {}
        for each, result in zip(group, trained, strict=True):
            further = seed_result(seeded, seed, result)
            fitness[_name(each)] = further.evaluation.fitness
            is_best = further.evaluation.fitness > max(each.fitness_by_seed)
            if is_best:
                replays[_name(each)] = result.replay
            if isinstance(each, Baseline):
                baselines.append(replace(each, more_seeds=(*each.more_seeds, further)))
                continue
            more = replace(each, more_seeds=(*each.more_seeds, further))
            outcomes.append((self._writer.reflected(more), result.policy if is_best else None))
        self._store.save_seed(
            outcomes, baselines, replays=replays, seconds=time.monotonic() - started
        )
        self._emit(SeedTrained(g, seed + 1, self._config.search.seeds, fitness))

    def _job_reward(self, result: Outcome | Baseline, g: int, seed: int) -> JobReward:
        """Return what is trained; its name, which displays show, tells the seed.

        A race may stop the candidates of the generation. The best so far and the references train
        to the end, since the others are compared with them.
        """
        name = f"{_name(result)} seed {seed + 1}"
        if isinstance(result, Baseline):
            human = result.name == "human"
            return self._evaluator.human(name) if human else JobReward(name, None)
        source = result.candidate.reward
        assert source is not None  # it was trained
        source = checked_again(source, self._evaluator.task.reward_inputs)
        races = result.candidate.generation == g
        return JobReward(name, source, self._initial_policies.of(result.candidate), races=races)


def _name(result: Outcome | Baseline) -> str:
    return f"{result.name} reward" if isinstance(result, Baseline) else result.candidate.name


def training_seed(first: int, number: int) -> int:
    """Return the training seed `number` (0, 1, …) of a run whose seed is `first`."""
    return first + number * _SEED


def seed_result(evaluator: Evaluator, seed: int, trained: TrainedReward) -> SeedResult:
    """Return the result of one further training; a failed one counts as random actions.

    Leaving it out would overstate its reward.

    Args:
        evaluator: The evaluator with that seed.
        seed: Number of the training seed, from 1.
        trained: What the training gave.
    """
    evaluation = trained.evaluation
    if evaluation is None or not math.isfinite(evaluation.fitness):
        evaluation = evaluator.random_actions()
    return SeedResult.of(trained, seed=seed, evaluation=evaluation)

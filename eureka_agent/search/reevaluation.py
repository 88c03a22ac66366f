"""Train a run's best reward again with other seeds, together with the human and the sparse reward.

The search selects the luckiest of many trainings, so its own fitness of the best is too high.
Eureka (Ma et al. 2024) therefore trains its final reward five times and reports the mean over those
of the best of ten checkpoints. The interquartile mean of the last policies, with an interval, is
more informative (`search/statistics.py`). Both are kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eureka_agent.config import SynthesisConfig
from eureka_agent.extract.reading import checked_again
from eureka_agent.records import Evaluation, Outcome, ReevaluationResult, ReevaluationSeed
from eureka_agent.runs.store import Store
from eureka_agent.search.baselines import WithReferences, draws_at_once, train_with_references
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import Listener, SeedReevaluated
from eureka_agent.search.initial_policies import InitialPolicies
from eureka_agent.search.statistics import Score, human_normalised, interquartile_mean
from eureka_agent.training.job import JobReward, TrainedReward

_SEED = 1_000_003
"""Training `n` has the run's seed plus `n` times this, which no training of the search has."""
_CLIP = (0.0, 3.0)
"""Range of the clipped human-normalised score."""


@dataclass(frozen=True)
class ReevaluationSummary:
    """The results of the final trainings, of the best reward and of the references."""

    seeds: int
    best: Score
    human: Score | None
    """None if the task has no human reward."""
    sparse: Score
    """All three: interquartile mean of the last policies' fitness over the seeds."""
    checkpoints: tuple[float, ...]
    """For each of `rows`: mean over the seeds of the training curve's best point (as Eureka
    reports)."""
    human_normalised: float | None
    """Of the interquartile means; None without a human reward, or if it and the sparse reward are
    alike."""

    @property
    def rows(self) -> dict[str, Score]:
        """The scores by name: `best`, `human` if there is one, `sparse`."""
        known = {"best": self.best, "human": self.human, "sparse": self.sparse}
        return {name: score for name, score in known.items() if score is not None}

    @property
    def clipped(self) -> float | None:
        """The human-normalised score clipped to 0 to 3, so that one task cannot dominate a mean."""
        if self.human_normalised is None:
            return None
        return min(_CLIP[1], max(_CLIP[0], self.human_normalised))


def reevaluate(
    store: Store,
    evaluator: Evaluator,
    best: Outcome,
    emit: Listener,
    *,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Train the best, the human and the sparse reward with each final seed that is not stored yet.

    Several seeds are trained at once where that is faster: draws from the first of them.

    `enough`: called before each training; true if a limit of the run excludes the remaining seeds.
    """
    config, source = store.config, best.candidate.reward
    assert source is not None  # it was trained
    source = checked_again(source, evaluator.task.reward_inputs)
    initial_policy = InitialPolicies(store).of(best.candidate)
    reward = JobReward(best.candidate.name, source, initial_policy)
    references = 2 if evaluator.task.has_human_reward else 1
    while numbers := _waiting(store):
        if enough():
            return
        together = numbers[: draws_at_once(evaluator, 1 + references, len(numbers))]
        started = time.monotonic()
        seeded = evaluator.with_seed(_seed(config, together[0]))
        endings = [f" final seed {number}" for number in together]
        trained = train_with_references(seeded, [reward], endings)
        finals = [
            _final(_seed(config, number), each)
            for number, each in zip(together, trained, strict=True)
        ]
        store.save_reevaluations(finals, seconds=time.monotonic() - started)
        for number, final in zip(together, finals, strict=True):
            emit(SeedReevaluated(final, number, config.search.final_seeds))


def _waiting(store: Store) -> list[int]:
    """Return the numbers of the final seeds that are not stored yet, from 1."""
    config = store.config
    stored = {final.seed for final in store.finals()}
    numbers = range(1, config.search.final_seeds + 1)
    return [number for number in numbers if _seed(config, number) not in stored]


def _seed(config: SynthesisConfig, number: int) -> int:
    return config.search.seed + number * _SEED


def _final(seed: int, trained: WithReferences) -> ReevaluationSeed:
    human, random = trained.human, trained.random
    return ReevaluationSeed(
        seed,
        best=_result(trained.rewards[0], random),
        human=_result(human, random) if human else None,
        sparse=_result(trained.sparse, random),
    )


def reevaluation_summary(finals: Sequence[ReevaluationSeed]) -> ReevaluationSummary | None:
    """Return the results over all final seeds; None if there are none."""
    if not finals:
        return None
    human = [final.human for final in finals if final.human]
    rows = [
        [final.best for final in finals],
        *([human] if human else []),
        [final.sparse for final in finals],
    ]
    scores = [_mean_fitness(row) for row in rows]
    peaks = tuple(_mean_peak(row) for row in rows)
    best, human_score, sparse = scores[0], scores[1] if human else None, scores[-1]
    normalised = human_normalised(best.value, human_score, sparse) if human_score else None
    return ReevaluationSummary(len(finals), best, human_score, sparse, peaks, normalised)


def _mean_fitness(results: Sequence[ReevaluationResult]) -> Score:
    return interquartile_mean([[result.evaluation.fitness for result in results]])


def _mean_peak(results: Sequence[ReevaluationResult]) -> float:
    return sum(result.peak for result in results) / len(results)


def _result(trained: TrainedReward, random: Evaluation) -> ReevaluationResult:
    """Return one training's result; a failed training counts as random actions.

    Leaving it out would overstate its reward.
    """
    return ReevaluationResult.of(trained, evaluation=trained.evaluation or random)

"""The final word on a run's best reward: trained anew with other seeds, beside the human and the
sparse reward.

The search chooses the luckiest of many trainings, so its own figure for the best is too high.
Eureka (Ma et al. 2024) therefore trains its final reward five times and reports the mean over those
of the best of ten checkpoints; the interquartile mean of the last policies, with an interval, says
more (`search/statistics.py`). Both are kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from eureka_agent.extract.reading import checked_again
from eureka_agent.records import Evaluation, Outcome, ReevaluationResult, ReevaluationSeed
from eureka_agent.runs.store import Store
from eureka_agent.search.evaluator import Evaluator, TrainedReward
from eureka_agent.search.events import Listener, SeedReevaluated
from eureka_agent.search.statistics import Score, human_normalised, interquartile_mean

_SEED = 1_000_003
"""Added to the run's seed, once more for each training: no seed of the search is met again."""
_CLIP = (0.0, 3.0)


@dataclass(frozen=True)
class ReevaluationSummary:
    """What the final trainings say of the best reward and of those that it is compared with."""

    seeds: int
    best: Score
    human: Score | None
    """None where the task has no human reward."""
    sparse: Score
    """Interquartile means of the last policies' fitness over the seeds."""
    checkpoints: tuple[float, ...]
    """Means over the seeds of the best point of the training curve, of each of `rows` (as Eureka
    reports)."""
    human_normalised: float | None
    """Of the interquartile means; None without a human reward, or where it and the sparse reward
    are alike."""

    @property
    def rows(self) -> dict[str, Score]:
        """What is compared: `best`, `human` where there is one, `sparse`."""
        known = {"best": self.best, "human": self.human, "sparse": self.sparse}
        return {name: score for name, score in known.items() if score is not None}

    @property
    def clipped(self) -> float | None:
        """The human-normalised score, held between 0 and 3, so that one task does not decide a mean
        over many."""
        return (
            None
            if self.human_normalised is None
            else min(_CLIP[1], max(_CLIP[0], self.human_normalised))
        )


def reevaluate(
    store: Store,
    evaluator: Evaluator,
    best: Outcome,
    emit: Listener,
    *,
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Train the best reward, the human and the sparse one with each final seed that the store
    lacks, and store it.

    `enough`: asked before each seed whether a limit of the run leaves the rest out.
    """
    known = {final.seed for final in store.finals()}
    config, code = store.config, best.candidate.reward
    assert code is not None  # it was trained
    for number in range(1, config.final_seeds + 1):
        seed = config.seed + number * _SEED
        if seed in known:
            continue
        if enough():
            return
        started, with_seed = time.monotonic(), evaluator.with_seed(seed)
        with ExitStack() as open_rewards:
            reward = with_seed.open(checked_again(code, evaluator.task.reward_inputs), open_rewards)
            (trial,), human, sparse, random = with_seed.references([best.candidate.name], [reward])
        by_human = _training(human, random) if human else None
        final = ReevaluationSeed(
            seed, _training(trial, random), by_human, _training(sparse, random)
        )
        store.save_reevaluation(final, seconds=time.monotonic() - started)
        emit(SeedReevaluated(final, number, config.final_seeds))


def reevaluation_summary(finals: Sequence[ReevaluationSeed]) -> ReevaluationSummary | None:
    """Return what the final trainings say together; None when there are none."""
    if not finals:
        return None
    human = [final.human for final in finals if final.human]
    trainings = [
        [final.best for final in finals],
        *([human] if human else []),
        [final.sparse for final in finals],
    ]
    scores = [interquartile_mean([[each.evaluation.fitness for each in row]]) for row in trainings]
    peaks = tuple(sum(each.peak for each in row) / len(row) for row in trainings)
    best, by_human, sparse = scores[0], scores[1] if human else None, scores[-1]
    score = human_normalised(best.value, by_human, sparse) if by_human else None
    return ReevaluationSummary(len(finals), best, by_human, sparse, peaks, score)


def _training(trial: TrainedReward, random: Evaluation) -> ReevaluationResult:
    """A training that broke is worth what random actions are: leaving it out would flatter its
    reward."""
    if trial.evaluation is None or trial.result.record is None:
        return ReevaluationResult(random, random.fitness, 0)
    curve = [value for value in trial.result.record.fitness.values if math.isfinite(value)]
    return ReevaluationResult(
        trial.evaluation, max(curve, default=math.nan), trial.result.record.environment_steps
    )

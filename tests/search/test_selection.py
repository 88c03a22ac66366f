"""Parents from rankings and fitness, computed by hand."""

from __future__ import annotations

import math
from random import Random

import pytest

from eureka_agent.errors import UsageError
from eureka_agent.judges.synthetic import by_fitness
from eureka_agent.proposers.grammar.ranking import preference_scores
from eureka_agent.records import (
    Candidate,
    Completion,
    Curve,
    Evaluation,
    Failure,
    Feedback,
    Outcome,
    TrainingRecord,
)
from eureka_agent.search.feedback import FeedbackRequest, checked
from eureka_agent.search.selection import best_so_far, greedy
from tests.support.toy_task import ToyTask


def outcome(generation: int, index: int, fitness: float | None) -> Outcome:
    """Return an outcome; with `fitness` None a failed one."""
    candidate = Candidate(generation, Completion(index, "…", "scripted"), None)
    if fitness is None:
        return Outcome(candidate, failure=Failure("check", "no"))
    return Outcome(
        candidate, evaluation=Evaluation(fitness, fitness, fitness, 1, 1.0, {"turns": 2.0})
    )


HISTORY = [
    outcome(0, 0, 1.0),
    outcome(0, 1, 5.0),
    outcome(0, 2, None),
    outcome(1, 0, 3.0),
    outcome(1, 1, 2.0),
]


def name(best: Outcome | None) -> str | None:
    return best.candidate.name if best else None


def ask(
    history: list[Outcome], generation: int, best: Outcome | None, *, has_fitness: bool = True
) -> FeedbackRequest:
    members = tuple(o for o in history if o.candidate.generation == generation)
    return FeedbackRequest(ToyTask(), "wave", has_fitness, generation, members, best)


# ---------------------------------------------------------------- parents
def test_the_first_of_the_latest_ranking_is_the_best() -> None:
    said = {0: Feedback(0, ("g0c0", "g0c1")), 1: Feedback(1, ("g1c1",))}
    assert name(best_so_far(HISTORY, said, has_fitness=True)) == "g1c1"
    assert name(best_so_far(HISTORY[:3], said, has_fitness=True)) == "g0c0"


def test_without_a_ranking_fitness_decides_or_the_best_stays() -> None:
    said = {0: Feedback(0, ("g0c0",)), 1: Feedback(1, (), {"g1c0": "so so"})}
    # g0c0 was chosen with fitness 1; in generation 1 fitness decides among 1, 3 and 2
    assert name(best_so_far(HISTORY, said, has_fitness=True)) == "g1c0"
    assert name(best_so_far(HISTORY, said, has_fitness=False)) == "g0c0"
    assert best_so_far(HISTORY, {}, has_fitness=False) is None
    assert name(best_so_far(HISTORY, {}, has_fitness=True)) == "g0c1"


@pytest.mark.parametrize("seed", range(50))
def test_the_synthetic_judge_chooses_the_parents_that_greedy_does(seed: int) -> None:
    """Few values, so that there are ties; with failures, NaN and generations in which all fail."""
    random = Random(seed)
    history: list[Outcome] = []
    said: dict[int, Feedback] = {}
    for generation in range(4):
        best = best_so_far(history, said, has_fitness=True)
        history += [
            outcome(generation, i, random.choice([None, math.nan, -1.0, 0.0, 2.0]))
            for i in range(3)
        ]
        said[generation] = by_fitness(ask(history, generation, best))
        expected = greedy(history)
        assert best_so_far(history, said, has_fitness=True) is expected
        assert best_so_far(history, said, has_fitness=False) is expected
        assert name(expected) == next(iter(said[generation].ranking), None)


def test_an_island_keeps_its_best_if_the_ranking_does_not_include_it() -> None:
    """An island holds g0c1 with fitness 5, then g1c1 with 2 and g1c2 with 4; the ranking's first is
    elsewhere."""
    island = [outcome(0, 1, 5.0), outcome(1, 1, 2.0), outcome(1, 2, 4.0)]
    said = {1: Feedback(1, ("g0c0", "g1c1"))}  # the worst is g1c1
    assert (
        name(best_so_far(island, said, has_fitness=True)) == "g0c1"
    )  # 5 beats 4; the worst is not considered
    assert (
        name(best_so_far(island[1:], said, has_fitness=True)) == "g1c2"
    )  # without an earlier best: the one that is not the worst
    assert name(best_so_far(island[1:2], said, has_fitness=True)) == "g1c1"  # there is no other
    chosen = {0: Feedback(0, ("g0c1",)), 1: Feedback(1, ("g0c0", "g1c1", "g1c0"))}
    assert name(best_so_far(island, chosen, has_fitness=False)) == "g0c1"
    shown = chosen | {
        1: Feedback(1, ("g0c0", "g1c1", "g0c1"))
    }  # the island's best was ranked, too, and is worse
    assert name(best_so_far(island, shown, has_fitness=False)) == "g1c1"


# ---------------------------------------------------------------- how much each was liked
def test_preference_of_rankings_by_hand() -> None:
    history = (
        [outcome(0, i, 0.0) for i in range(4)]
        + [outcome(1, i, 0.0) for i in range(3)]
        + [outcome(1, 3, None)]
    )
    first = Feedback(0, ("g0c3", "g0c0", "g0c1"))  # three names: 1, 1/2, 0; g0c2 is unknown
    assert preference_scores(history[:4], [first]) == {
        "g0c0": 0.5,
        "g0c1": 0.0,
        "g0c2": 0.5,
        "g0c3": 1.0,
    }
    # g1c2 replaces g0c3, which was shown with it and not ranked, so it is unknown now; g0c1 was not
    # shown and stays 0
    liked = preference_scores(history, [first, Feedback(1, ("g1c2", "g1c0"))])
    assert liked == {
        "g0c0": 0.5,
        "g0c1": 0.0,
        "g0c2": 0.5,
        "g0c3": 0.5,
        "g1c0": 0.0,
        "g1c1": 0.5,
        "g1c2": 1.0,
    }
    assert preference_scores(history, [first, Feedback(1)])["g0c3"] == 1.0
    assert set(preference_scores(history, []).values()) == {0.5}


def test_an_outcome_without_fitness_has_no_trace_of_it() -> None:
    curve = Curve("fitness", (1.0, 2.0), 2.0, 1.5, 1.0)
    told = Outcome(
        HISTORY[1].candidate,
        training=TrainingRecord(8, 1.0, curve, (curve,), curve, curve, {"fitness": 0.9}),
        evaluation=HISTORY[1].evaluation,
    ).without_fitness()
    assert told.fitness == -math.inf
    assert told.evaluation is not None
    assert told.training is not None
    assert math.isnan(told.evaluation.fitness_low)
    assert (told.evaluation.measures, told.training.correlations, told.training.fitness.values) == (
        {},
        {},
        (),
    )
    assert told.evaluation.episode_length == 1.0
    assert told.training.components == (curve,)


# ---------------------------------------------------------------- what a judge may say
@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Feedback(0), "asked about generation 1, got 0"),
        (Feedback(1, ("g1c7",)), "'g1c7', which is not a trained candidate. Did you mean"),
        (Feedback(1, ("g0c2",)), "'g0c2', which is not a trained candidate"),
        (Feedback(1, ("g1c0", "g1c0")), "names a candidate twice: g1c0 > g1c0"),
        (Feedback(1, (), {"g2c0": "hm"}), "commented on 'g2c0', which is not a candidate"),
        (Feedback(1, (), {"g1c0": "\ud800"}), "not text that UTF-8 can hold"),
        ("g1c0", r"must return eureka_agent\.Feedback, got str"),
    ],
)
def test_invalid_feedback_is_refused_with_the_reason(said: Feedback, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        checked(said, ask(HISTORY, 1, None), HISTORY)


def test_any_trained_candidate_can_be_ranked_and_empty_comments_are_dropped() -> None:
    said = Feedback(1, ("g0c0", "g1c1"), {"g0c2": "why did it fail? ☃", "g1c0": " \n"}, stop=True)
    kept = checked(said, ask(HISTORY, 1, None), HISTORY)
    assert kept == Feedback(1, ("g0c0", "g1c1"), {"g0c2": "why did it fail? ☃"}, stop=True)

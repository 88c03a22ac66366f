"""The stand-in for a person that answers pairs."""

from __future__ import annotations

from benchmarks.preferences import best_by_pairs, questions_about
from eureka_agent.judges.synthetic import by_fitness
from eureka_agent.search.feedback import FeedbackRequest
from tests.support import run_events as runs


def request(*fitness: float) -> FeedbackRequest:
    outcomes = tuple(
        runs.outcome(0, runs.completion(index), runs.evaluation(value))
        for index, value in enumerate(fitness)
    )
    return FeedbackRequest(runs.TASK, "hop", False, 0, outcomes)


def test_winner_of_the_pairs_is_the_first_of_the_ranking() -> None:
    for fitness in ((1.0, 3.0, 2.0), (2.0, 2.0), (5.0,), (3.0, 1.0, 3.0)):
        asked = request(*fitness)
        assert best_by_pairs(asked).ranking == by_fitness(asked).ranking[:1]


def test_winner_takes_one_question_less_than_there_are_candidates() -> None:
    assert questions_about("pairs", request(4.0, 1.0, 3.0, 2.0, 5.0).trained) == 4
    assert questions_about("pairs", request(4.0).trained) == 0


def test_order_takes_more_questions_and_fitness_none() -> None:
    trained = request(4.0, 1.0, 3.0, 2.0, 5.0, 0.5).trained
    assert questions_about("ranking", trained) > questions_about("pairs", trained)
    assert questions_about("fitness", trained) == 0

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from eureka_agent.proposers.bandit import BanditSelector, WeightedSelector
from eureka_agent.records import Candidate, Completion, Evaluation, Outcome, Prompt


def outcome(
    generation: int, index: int, model: str, fitness: float | None, cost_usd: float | None = None
) -> Outcome:
    answer = Completion(
        index, "", model, prompt_tokens=100, completion_tokens=100, cost_usd=cost_usd
    )
    evaluation = None if fitness is None else Evaluation(fitness, fitness, fitness, 1, 1.0)
    return Outcome(Candidate(generation, answer, None), evaluation=evaluation)


def shares(
    choice: WeightedSelector | BanditSelector, history: Sequence[Outcome], samples: int = 400
) -> dict[str, float]:
    prompt = Prompt(3, (), run=tuple(history))
    counts = Counter(choice(prompt, index) for index in range(samples))
    return {model: count / samples for model, count in counts.items()}


def test_each_generation_has_the_shares_of_the_weights() -> None:
    choice = WeightedSelector({"a": 2.0, "b": 1.0, "c": 1.0}, seed=1)
    for generation in range(20):
        counts = Counter(choice(Prompt(generation, ()), index) for index in range(8))
        # 4, 2 and 2 of 8, within one: independent draws would be off by two or more half of the
        # time.
        assert abs(counts["a"] - 4) <= 1
        assert abs(counts["b"] - 2) <= 1
        assert abs(counts["c"] - 2) <= 1


def test_a_single_model_writes_every_sample() -> None:
    assert shares(WeightedSelector({"a": 0.3}, seed=0), []) == {"a": 1.0}


@pytest.mark.parametrize(
    "choice", [WeightedSelector({"a": 1.0, "b": 2.0}, 5), BanditSelector(("a", "b"), 5)]
)
def test_choice_depends_only_on_seed_sample_and_history(
    choice: WeightedSelector | BanditSelector,
) -> None:
    prompt = Prompt(1, (), run=(outcome(0, 0, "a", 1.0), outcome(0, 1, "b", None)))
    asked = [choice(prompt, index) for index in range(16)]
    assert [choice(prompt, index) for index in reversed(range(16))] == asked[::-1]
    assert choice(prompt, 7) == asked[7]


def test_a_model_that_improves_fitness_is_asked_more_often() -> None:
    # In every generation a's fitness is above all earlier ones, b's is not.
    history = [outcome(g, 2 * i, "a", float(g)) for g in range(3) for i in range(8)]
    history += [outcome(g, 2 * i + 1, "b", -1.0) for g in range(1, 3) for i in range(8)]
    assert shares(BanditSelector(("a", "b"), 0), history)["a"] > 0.95
    bandit = BanditSelector(("a", "b"), 0)
    outside_run = Prompt(3, (), history=tuple(history))
    in_run = replace(outside_run, run=outside_run.history, history=())
    for i in range(20):
        assert bandit(outside_run, i) == bandit(in_run, i)


def test_without_history_models_are_asked_equally() -> None:
    assert shares(BanditSelector(("a", "b"), 0), [])["a"] == pytest.approx(0.5, abs=0.08)


def test_the_cheaper_of_two_equally_good_models_is_asked_more_often() -> None:
    history = [outcome(0, 2 * i, "cheap", 1.0 if i % 2 else None, 0.01) for i in range(20)]
    history += [outcome(0, 2 * i + 1, "dear", 1.0 if i % 2 else None, 0.10) for i in range(20)]
    assert shares(BanditSelector(("cheap", "dear"), 0), history)["cheap"] > 0.95
    # If one price is unknown, tokens decide; they are equal here. Unknown does not mean free.
    unknown = [outcome(0, 50, "dear", None, None)]
    assert 0.3 < shares(BanditSelector(("cheap", "dear"), 0), history + unknown)["cheap"] < 0.7


def test_success_is_training_at_first_and_later_a_higher_fitness() -> None:
    """A later fitness must exceed that of earlier generations; a duplicate's equal one does not."""
    first = [outcome(0, i, "a", 1.0) for i in range(6)] + [
        outcome(0, 6 + i, "b", None) for i in range(6)
    ]
    assert shares(BanditSelector(("a", "b"), 0), first)["a"] > 0.9
    same = [outcome(1, i, "a", 1.0) for i in range(12)]
    # a: 6 of 18, b: 0 of 6. Before, a had 6 of 6.
    assert (
        shares(BanditSelector(("a", "b"), 0), first + same)["a"]
        < shares(BanditSelector(("a", "b"), 0), first)["a"]
    )

"""The plans of strategies, computed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from eureka_agent.config import SynthesisConfig
from eureka_agent.errors import UsageError
from eureka_agent.records import INITIAL, Candidate, Completion, Evaluation, Outcome
from eureka_agent.search.selection import greedy as fittest
from eureka_agent.search.strategies import (
    Plan,
    Strategy,
    greedy,
    islands,
    random,
    restarts,
    with_roles,
)


def outcome(g: int, sample: int, fitness: float) -> Outcome:
    evaluation = Evaluation(fitness, fitness, fitness, 1, 1.0)
    return Outcome(Candidate(g, Completion(sample, "", "scripted"), None), evaluation=evaluation)


def generation(g: int, *fitness: float) -> list[Outcome]:
    return [outcome(g, sample, value) for sample, value in enumerate(fitness)]


def parents(plans: Sequence[Plan]) -> list[str]:
    """Return each sample's parent in the order of the samples; - for none."""
    named = {
        s: plan.parents[0].candidate.name if plan.parents else "-"
        for plan in plans
        for s in plan.samples
    }
    return [named[sample] for sample in sorted(named)]


def test_greedy_builds_on_the_best_of_all() -> None:
    assert parents(greedy(0, 3, [], fittest)) == ["-", "-", "-"]
    history = [*generation(0, 1.0, 5.0, 2.0), *generation(1, 3.0, 4.0, 0.0)]
    assert parents(greedy(2, 3, history, fittest)) == ["g0c1"] * 3


def test_random_has_no_parents() -> None:
    (plan,) = random(3, 4, generation(0, 1.0, 2.0), fittest)
    assert (plan.samples, plan.parents, plan.history) == ((0, 1, 2, 3), (), ())


def test_restarts_forget_earlier_generations() -> None:
    """With a restart every second generation, generation 2 has no parent and 3 builds on 2."""
    history = [*generation(0, 9.0), *generation(1, 1.0), *generation(2, 2.0)]
    plan = restarts(2)
    assert parents(plan(1, 1, history[:1], fittest)) == ["g0c0"]
    assert parents(plan(2, 1, history[:2], fittest)) == ["-"]
    (third,) = plan(3, 1, history, fittest)
    assert parents([third]) == ["g2c0"]
    assert [o.candidate.name for o in third.history] == ["g2c0"]


def test_islands_build_on_their_own_best() -> None:
    """Four samples on two islands: 0 and 1, 2 and 3. The best of all, 9, lies on the second."""
    history = generation(0, 1.0, 2.0, 9.0, 0.0)
    plans = islands(2, migrate_every=2)(1, 4, history, fittest)
    assert parents(plans) == ["g0c1", "g0c1", "g0c2", "g0c2"]
    assert [o.candidate.name for o in plans[0].history] == ["g0c0", "g0c1"]


def test_the_worst_island_takes_over_the_best_of_all() -> None:
    """Bests 2, 9 and 1: before generation 2 the third island gets the 9 as parent and in its history."""
    history = [*generation(0, 2.0, 9.0, 1.0), *generation(1, 0.0, 0.0, 0.5)]
    plans = islands(3, migrate_every=2)(2, 3, history, fittest)
    assert parents(plans) == ["g0c0", "g0c1", "g0c1"]
    assert [o.candidate.name for o in plans[2].history] == ["g0c2", "g1c2", "g0c1"]
    assert parents(islands(3, migrate_every=3)(2, 3, history, fittest)) == ["g0c0", "g0c1", "g0c2"]


def test_an_island_without_a_trained_candidate_is_the_worst() -> None:
    dead = Outcome(Candidate(0, Completion(1, "", "scripted"), None))
    plans = islands(2)(2, 2, [outcome(0, 0, 1.0), dead], fittest)
    assert parents(plans) == ["g0c0", "g0c0"]


def test_the_worst_island_is_found_by_ranking_and_not_by_hidden_fitness() -> None:
    """The ranking puts g0c1 first and g0c2 last; the hidden fitness says the opposite."""
    history, liked = generation(0, 5.0, 1.0, 9.0), ["g0c1", "g0c0", "g0c2"]

    def best(outcomes: Sequence[Outcome]) -> Outcome | None:
        return min(outcomes, key=lambda o: liked.index(o.candidate.name), default=None)

    assert parents(islands(3, migrate_every=1)(1, 3, history, best)) == ["g0c0", "g0c1", "g0c1"]


def test_a_second_attempt_belongs_to_the_same_islands() -> None:
    """The second attempt has samples 4 to 7, which have places 0 to 3."""
    again = [outcome(0, 4 + sample, value) for sample, value in enumerate((1.0, 2.0, 3.0, 4.0))]
    assert parents(islands(2)(1, 4, again, fittest)) == ["g0c5", "g0c5", "g0c7", "g0c7"]


def distinct(history: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes with fingerprints: each computes something else."""
    return [
        replace(o, candidate=replace(o.candidate, fingerprint=o.candidate.name)) for o in history
    ]


def test_roles_take_turns_over_the_generations() -> None:
    """With 4 samples, generation 1 begins with the fifth role; generation 3 with the first."""
    history = distinct([*generation(0, 1.0, 3.0, 2.0), *generation(1, 2.5, 4.0)])
    first = {plan.role: plan.samples for plan in with_roles(greedy)(1, 4, history, fittest)}
    assert first == {"refine": (2,), "bold": (3,), "robust": (0,), "simplify": (1,)}
    third = {plan.role: plan.samples for plan in with_roles(greedy)(3, 4, history, fittest)}
    assert third == {"refine": (0,), "bold": (1,), "faster": (2,), "combine": (3,)}


def test_every_sample_with_a_parent_has_the_three_best_that_differ() -> None:
    history = distinct([*generation(0, 1.0, 3.0), *generation(1, 2.0, 4.0)])
    duplicate = outcome(2, 0, 3.9)
    duplicate = replace(duplicate, candidate=replace(duplicate.candidate, fingerprint="g1c1"))
    for plan in with_roles(greedy)(3, 7, [*history, duplicate], fittest):
        assert [o.candidate.name for o in plan.parents] == ["g1c1", "g0c1", "g1c0"]


def test_without_a_parent_samples_have_no_role() -> None:
    assert [plan.role for plan in with_roles(greedy)(0, 7, [], fittest)] == [None]
    assert [plan.role for plan in with_roles(random)(2, 7, generation(0, 1.0), fittest)] == [None]


def test_the_initial_reward_belongs_to_every_island_and_restart() -> None:
    """It is the first parent of all, also after a restart, until a better reward exists."""
    start = outcome(INITIAL, 0, 1.5)
    for strategy in (greedy, restarts(2), islands(2)):
        assert parents(strategy(0, 2, [start], fittest)) == ["start", "start"]
    history = [start, *generation(0, 2.0, 1.0)]
    assert parents(restarts(2)(1, 2, history, fittest)) == ["g0c0", "g0c0"]
    assert parents(restarts(1)(1, 2, history, fittest)) == ["start", "start"]
    assert parents(islands(2)(1, 2, history, fittest)) == ["g0c0", "start"]
    roles = [plan.role for plan in with_roles(greedy)(0, 12, [start], fittest)]
    assert roles == ["refine", "bold", "faster", "robust", "simplify"]  # nothing to combine


@pytest.mark.parametrize(
    "strategy",
    [greedy, random, restarts(2), islands(2), islands(3), islands(5), with_roles(islands(3))],
)
@pytest.mark.parametrize("samples", [5, 8, 16])
def test_each_sample_is_planned_once(strategy: Strategy, samples: int) -> None:
    history = generation(0, *range(samples))
    for g in (0, 1, 2, 3):
        plans = strategy(g, samples, history if g else [], fittest)
        assert sorted(sample for plan in plans for sample in plan.samples) == list(range(samples))
        if all(plan.role is None for plan in plans):
            sizes = [len(plan.samples) for plan in plans]
            assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        ("islands:1", "between 2 and the samples"),
        ("islands:9", "got 9"),
        ("restarts:5", "between 1 and the generations before the last (4)"),
        ("restarts:0", "got 0"),
        ("restarts:two", "takes a whole number, got 'two'"),
        ("islands:", "is written as islands[:N], got 'islands:'"),
        ("greedy:2", "is written as greedy, got 'greedy:2'"),
    ],
)
def test_invalid_strategy_settings_are_refused(strategy: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        SynthesisConfig.of("cartpole", strategy=strategy, generations=5, samples=8)
    assert says in str(error.value)

"""A reward file compared with the references, over one and over several training seeds."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import pytest

from eureka_agent.api.evaluate_reward import TrainedComparison, compare
from eureka_agent.config import TrainingBudget
from eureka_agent.jail import Sandbox
from eureka_agent.search.events import Event, SeedTrained
from eureka_agent.simulation.rollouts import evaluate
from eureka_agent.tasks.registry import load_task
from tests.support.cli import HUMAN

BUDGET = TrainingBudget(num_envs=8, environment_steps=8 * 16 * 4, evaluation_episodes=4)


def compared(sandbox: Sandbox, seeds: int, events: list[Event] | None = None) -> TrainedComparison:
    listener = [] if events is None else events
    task = load_task("cartpole")
    return compare(Path(HUMAN), task, BUDGET, sandbox, seed=3, seeds=seeds, emit=listener.append)


@pytest.fixture(scope="module")
def three(sandbox: Sandbox) -> TrainedComparison:
    return compared(sandbox, 3)


def test_comparison_over_seeds_has_means_and_intervals_over_them(three: TrainedComparison) -> None:
    fitness = three.result.fitness_by_seed
    assert len(set(fitness)) == 3
    assert three.evaluation.seeds == 3
    assert three.evaluation.fitness == pytest.approx(mean(fitness))
    assert three.evaluation.fitness_low < min(fitness)
    overall = {each.name: each.overall for each in three.baselines}
    assert {name: each.seeds for name, each in overall.items()} == {
        "human": 3,
        "sparse": 3,
        "random": 1,
    }
    # The file is the human reward: with equal seeds it is trained to the same result.
    assert overall["human"].fitness == three.evaluation.fitness


def test_first_seed_is_the_one_that_is_given(sandbox: Sandbox, three: TrainedComparison) -> None:
    events: list[Event] = []
    one = compared(sandbox, 1, events)
    assert one.result.fitness_by_seed == three.result.fitness_by_seed[:1]
    assert not [event for event in events if isinstance(event, SeedTrained)]


def test_policy_is_that_of_the_best_training(three: TrainedComparison) -> None:
    number = max(range(3), key=three.result.fitness_by_seed.__getitem__)
    seed = 3 + number * 7_368_787
    (again,) = evaluate(load_task("cartpole"), [three.policy], episodes=4, seed=seed)
    assert again.fitness == pytest.approx(three.result.fitness_by_seed[number])

"""What a prompt says of the search so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from eureka_agent.prompting.facts import RunFacts
from eureka_agent.prompting.history import history_of
from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.records import (
    TIME_LIMIT,
    Behaviour,
    Curve,
    EndCause,
    Outcome,
    TrainingRecord,
)
from tests.support.prompts import failed, user, worked
from tests.support.toy_task import ToyTask

TOY = ToyTask()


@dataclass(frozen=True)
class Known:
    """An estimate of a given value."""

    value: float
    low: float = -1.0
    high: float = 1.0
    seeds: int = 2


def facts(history: Sequence[Outcome], **built_on: str) -> RunFacts:
    """Return estimates that are the outcomes' own fitness."""
    estimates = {o.candidate.name: Known(o.fitness) for o in history if o.evaluation}
    return RunFacts(estimates=estimates, built_on=built_on)


def names(lines: Sequence[object]) -> list[str]:
    return [line.outcome.candidate.name for line in lines]  # type: ignore[attr-defined]


def test_the_table_has_the_twelve_best_and_all_of_the_last_generation() -> None:
    old = [worked(0, sample, 100.0 + sample) for sample in range(14)]
    last = [worked(1, sample, float(sample)) for sample in range(3)]
    history = [*old, failed(0, 14, "check", "no."), *last]
    found = history_of(history, old[-1:], facts(history))
    assert names(found.table) == [f"g0c{k}" for k in range(13, 1, -1)] + ["g1c2", "g1c1", "g1c0"]
    assert (found.left_out, found.failures) == (2, 1)
    assert names(found.worst) == ["g1c1", "g1c0"]


def test_a_turn_names_what_the_best_of_a_generation_was_built_on() -> None:
    history = [worked(g, sample, g + 0.1 * sample) for g in range(6) for sample in range(2)]
    turns = history_of(history, history[-1:], facts(history, g5c1="g4c1")).turns
    assert [turn.generation for turn in turns] == [2, 3, 4, 5]
    assert names([turn.best for turn in turns]) == ["g2c1", "g3c1", "g4c1", "g5c1"]
    assert turns[-1].base is not None
    assert turns[-1].base.outcome == history[9]
    assert turns[0].base is None


def test_duplicates_are_not_listed_again() -> None:
    first = worked(0, 0, 1.0)
    duplicate = replace(worked(0, 1, 1.0), duplicate_of="g0c0")
    assert names(history_of([first, duplicate], [first], facts([first, duplicate])).table) == [
        "g0c0"
    ]


def with_component(sample: int, size: float, fitness: float) -> Outcome:
    curve = Curve("reward", (0.0, size), size, size, 0.0)
    components = (replace(curve, name="speed"),)
    return replace(
        worked(0, sample, fitness), training=TrainingRecord(1, 1.0, curve, components, curve, curve)
    )


def test_a_component_is_ranked_against_fitness_from_five_candidates_on() -> None:
    """Sizes 0 to 4 against fitness 0, 1, 2, 4, 3: nine of ten pairs agree, one does not."""
    history = [
        with_component(k, float(k), value) for k, value in enumerate((0.0, 1.0, 2.0, 4.0, 3.0))
    ]
    (rank,) = history_of(history, history[-1:], facts(history)).ranks
    assert (rank.name, rank.candidates) == ("speed", 5)
    assert rank.agreement == pytest.approx(0.8)
    assert history_of(history[:4], history[:1], facts(history)).ranks == ()


def test_without_a_fitness_the_prompt_has_no_figures_of_it() -> None:
    history = [worked(0, 0).without_fitness(), worked(0, 1).without_fitness()]
    found = history_of(history, history[:1], RunFacts())
    assert (found.turns, found.worst, found.ranks) == ((), (), ())
    text = user(write_prompt(TOY, "wave", 1, history[:1], history))
    assert "| g0c1 | 50 |" in text


@pytest.mark.parametrize(
    ("known", "asks_for_speed"),
    [
        (Known(-0.1, -0.105, -0.09), True),  # the toy is solved from -0.1
        (Known(-0.1, -0.2, 0.0), False),  # too uncertain
        (Known(-0.2, -0.21, -0.19), False),
        (Known(-0.101, float("-inf"), float("inf"), seeds=1), True),  # the noise is unknown
    ],
)
def test_near_the_solution_the_aim_is_to_learn_faster(known: Known, asks_for_speed: bool) -> None:
    best = worked(0, 0)
    text = user(
        write_prompt(
            TOY, TOY.description, 1, (best,), (best,), facts=RunFacts(estimates={"g0c0": known})
        )
    )
    assert ("in fewer environment steps" in text) == asks_for_speed


def test_the_table_tells_how_many_episodes_ended_early() -> None:
    ends = (EndCause(TIME_LIMIT, 6, 20.0), EndCause("the pole fell", 2, 5.0))
    base = worked(0, 0, 1.0)
    behaviour = Behaviour(8, 0.02, ends, math.nan, math.nan, 1.0, None, (), (), (), ())
    history = [replace(base, behaviour=behaviour), worked(0, 1, 0.5)]
    prompt = write_prompt(ToyTask(), ToyTask.description, 1, history[:1], history)
    rows = [line for line in user(prompt).splitlines() if line.startswith("| g0c")]
    assert ["(25%)" in row for row in rows] == [True, False]

"""The text about a policy's behaviour: each line appears only where the numbers support it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

import pytest

from eureka_agent.prompting import behaviour as module
from eureka_agent.prompting.behaviour import (
    BehaviourNote,
    NoteKind,
    behaviour_notes,
    training_notes,
)
from eureka_agent.prompting.reflection import reflect
from eureka_agent.records import (
    TIME_LIMIT,
    Behaviour,
    Candidate,
    Completion,
    ComponentEffect,
    Curve,
    EndCause,
    EpisodeSketch,
    Evaluation,
    HalfGains,
    Outcome,
    QuantitySpread,
    RewardSource,
    TrainingRecord,
)

CANDIDATE = Candidate(1, Completion(3, "…", "scripted"), RewardSource("…", ("speed",)))
LEAN = "torso leans 0.2 rad or more"
SKETCH = EpisodeSketch(2.5, 1000, TIME_LIMIT, ((0.0, 0.001, 1.0), (8.0, 21.5, 2.9)))
RUNS = Behaviour(
    episodes=64,
    step_s=0.008,
    ends=(EndCause(TIME_LIMIT, 64, 1000.0),),
    fitness_alive=2.5,
    late_share=0.5,
    fitness_solved=2.0,
    halves=HalfGains(64, 1.2, 1.3, 0.05),
    spreads=(
        QuantitySpread("torso_position.x", "m", (-0.004, 0.0, 0.004), (9, 10, 11), (18, 20, 22)),
    ),
    columns=("torso_position.x m", "torso_velocity.x m/s"),
    typical=(SKETCH,),
    worst=(replace(SKETCH, fitness=0.4, length=150, cause=LEAN),),
    components=(
        ComponentEffect("forward", 2500.0, 0.97, 0.99),
        ComponentEffect("alive", 1000.0, 0.03, 0.2),
        ComponentEffect("effort", -20.0, 0.001, -0.9),
    ),
    component_episodes=16,
)
FALLS = replace(
    RUNS,
    ends=(EndCause(LEAN, 45, 150.0), EndCause(TIME_LIMIT, 19, 1000.0)),
    fitness_alive=2.7,
)


def curve(*values: float) -> Curve:
    return Curve("fitness", values, max(values), sum(values) / len(values), min(values))


RISING = curve(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
FLAT = curve(0.0, 0.3, 0.6, 0.9, 0.99, 1.0, 1.0, 1.01, 1.0, 1.0)
NOISY = curve(0.4, 0.9, 0.3, 0.8, 0.5, 1.0, 0.2, 0.9, 0.4, 1.0)


def kinds(notes: list[BehaviourNote]) -> list[str]:
    return [note.kind for note in notes]


def outcome(behaviour: Behaviour | None, fitness: Curve = NOISY) -> Outcome:
    steady = Curve("reward", (1.0, 1.0), 1.0, 1.0, 1.0)
    training = TrainingRecord(1_000, 1.0, steady, (), fitness, steady)
    evaluation = Evaluation(2.5, 2.4, 2.6, 64, 1000.0)
    return Outcome(CANDIDATE, training=training, evaluation=evaluation, behaviour=behaviour)


def text(behaviour: Behaviour | None, fitness: Curve = NOISY, unit: str | None = "m/s") -> str:
    return reflect(outcome(behaviour, fitness), max_episode_steps=1000, fitness_unit=unit)


# ------------------------------------------------------------------ early ends
def test_good_policy_has_no_notes() -> None:
    assert behaviour_notes(RUNS, 1000) == []


def test_early_ends_cost_what_their_steps_would_have_given() -> None:
    # mean length (45 * 150 + 19 * 1000) / 64 = 402 of 1000
    (note,) = behaviour_notes(FALLS, 1000)
    assert (note.kind, note.value) == ("alive", 2.7)
    assert note.other == pytest.approx(0.598, abs=1e-3)
    assert "a full episode would give 2.7 m/s; 60% of that is lost because" in text(FALLS)
    assert f"45 ended by: {LEAN}, after 1.2 s on average." in text(FALLS)
    assert "19 ended by: time limit." in text(FALLS)


@pytest.mark.parametrize(
    "behaviour",
    [
        replace(FALLS, fitness_alive=math.nan),  # the fitness counts steps
        replace(FALLS, fitness_alive=-2.7),
        replace(FALLS, fitness_alive=0.03),  # 1.5 % of what solves the task
        replace(FALLS, late_share=0.3),  # the rate falls within an episode
        replace(FALLS, late_share=math.nan),
        replace(FALLS, halves=HalfGains(19, 0.6, 0.7, 0.1)),  # full episodes reach half of it
        replace(FALLS, ends=(EndCause(LEAN, 64, 990.0),)),  # 1 % of the steps are lost
    ],
)
def test_early_ends_that_say_little_about_fitness_have_no_note(behaviour: Behaviour) -> None:
    assert behaviour_notes(behaviour, 1000) == []


def test_early_ends_are_noted_where_no_solved_value_is_known() -> None:
    assert kinds(behaviour_notes(replace(FALLS, fitness_solved=math.nan), 1000)) == ["alive"]


# ------------------------------------------------------------------ halves of episodes
def test_policy_that_stops_or_slows_down_is_noted() -> None:
    stops = replace(RUNS, halves=HalfGains(20, 1.0, 0.05, 0.1))
    slows = replace(RUNS, halves=HalfGains(20, 1.0, 0.4, 0.1))
    assert kinds(behaviour_notes(stops, 1000)) == ["stops"]
    assert kinds(behaviour_notes(slows, 1000)) == ["slows"]
    assert "gain 1 m/s in their first half and 0.05 in the second: the policy starts" in text(stops)
    assert "gain 1 m/s in their first half and only 0.4 in the second" in text(slows)


def test_rate_is_not_extrapolated_where_the_policy_stops() -> None:
    both = replace(FALLS, halves=HalfGains(19, 1.0, 0.0, 0.1))
    assert kinds(behaviour_notes(both, 1000)) == ["stops"]


@pytest.mark.parametrize(
    "halves",
    [
        None,
        HalfGains(20, 1.0, 0.6, 0.01),  # 60 % of the first half
        HalfGains(20, 1.0, 0.0, 0.6),  # 1.7 standard errors
        HalfGains(3, 1.0, 0.0, 0.1),  # three episodes
        HalfGains(1, 1.0, 0.0, math.inf),
        HalfGains(20, 0.03, 0.0, 0.001),  # it never started
        HalfGains(20, -1.0, -2.0, 0.1),
    ],
)
def test_halves_that_do_not_show_a_stop_have_no_note(halves: HalfGains | None) -> None:
    assert behaviour_notes(replace(RUNS, halves=halves), 1000) == []


# ------------------------------------------------------------------ the end of the training
def test_curve_that_still_rises_is_noted_unless_it_is_high_enough() -> None:
    assert kinds(training_notes(RISING, 2.0)) == ["rising"]
    assert training_notes(RISING, 0.9) == []
    assert "fitness still rose by 0.4 m/s: it learns too slowly" in text(RUNS, RISING)


def test_curve_that_is_flat_since_half_way_is_noted() -> None:
    assert kinds(training_notes(FLAT, 2.0)) == ["flat"]
    assert "flat at about 1 m/s since the middle of the training" in text(RUNS, FLAT)


@pytest.mark.parametrize(
    "fitness",
    [
        NOISY,
        curve(*([0.0] * 10)),  # never learned: not "flat since half-way"
        curve(*(0.004 * index for index in range(10))),  # 2 % of the scale
        curve(0.0, 0.5, 1.0),
        curve(1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1),
        Curve("fitness", (), math.nan, math.nan, math.nan),
    ],
)
def test_curve_whose_end_shows_nothing_has_no_note(fitness: Curve) -> None:
    assert training_notes(fitness, 2.0) == []


def test_training_that_a_race_stopped_is_not_called_slow() -> None:
    whole = outcome(RUNS, RISING)
    assert whole.training is not None
    stopped = replace(whole, training=replace(whole.training, stopped="it was behind"))
    words = "learns too slowly"
    assert words in reflect(whole, max_episode_steps=1000, fitness_unit="m/s")
    assert words not in reflect(stopped, max_episode_steps=1000, fitness_unit="m/s")


# ------------------------------------------------------------------ components
def test_component_that_pays_in_worse_episodes_is_noted() -> None:
    wrong = replace(RUNS, components=(ComponentEffect("spin", 5.0, 0.8, -0.8),))
    (note,) = behaviour_notes(wrong, 1000)
    assert (note.kind, note.name) == ("misdirected", "spin")
    assert "`spin` pays more in worse episodes (correlation with fitness -0.8)" in text(wrong)


@pytest.mark.parametrize(
    "effect",
    [
        ComponentEffect("cost", -5.0, 0.8, -0.8),  # a cost is meant to be negative
        ComponentEffect("small", 5.0, 0.1, -0.8),
        ComponentEffect("weak", 5.0, 0.8, -0.5),
        ComponentEffect("unknown", 5.0, 0.8, math.nan),
    ],
)
def test_component_without_a_clear_effect_has_no_note(effect: ComponentEffect) -> None:
    assert behaviour_notes(replace(RUNS, components=(effect,)), 1000) == []


def test_few_episodes_say_nothing_about_components() -> None:
    wrong = (ComponentEffect("spin", 5.0, 0.8, -0.8),)
    assert behaviour_notes(replace(RUNS, components=wrong, component_episodes=8), 1000) == []


def test_shares_are_shown_with_correlations_where_both_are_known() -> None:
    assert "`forward` 97% (0.99), `alive` 3% (0.2), `effort` under 1% (-0.9)." in text(RUNS)
    equal = tuple(replace(each, variance_share=math.nan) for each in RUNS.components)
    assert "variance" not in text(replace(RUNS, components=equal))
    assert "variance" not in text(replace(RUNS, components=(), component_episodes=0))


def test_product_of_components_is_said_not_to_add_up() -> None:
    product = (ComponentEffect("a", 1.0, 1.3, 0.9), ComponentEffect("b", 1.0, 1.2, 0.9))
    words = "the reward is not the sum of its components"
    assert words in text(replace(RUNS, components=product))
    assert words not in text(RUNS)


# ------------------------------------------------------------------ the whole text
def test_numbers_of_a_row_have_the_precision_of_the_largest() -> None:
    assert "torso_position.x (m): 0 (0 to 0), 10 (9 to 11), 20 (18 to 22)" in text(RUNS)
    assert "typical, fitness 2.5, time limit at 8 s: 0 0 1; 8 22 2.9" in text(RUNS)
    assert f"worst, fitness 0.4, {LEAN} at 1.2 s: 0 0 1; 8 22 2.9" in text(RUNS)


def test_without_a_fitness_the_behaviour_mentions_none() -> None:
    wrong = replace(FALLS, components=(ComponentEffect("spin", 5.0, 0.8, -0.8),))
    without = text(wrong, RISING, unit=None)
    assert "fitness" not in without
    assert "worst" not in without
    assert "m/s" not in without
    assert f"45 ended by: {LEAN}" in without
    assert "torso_position.x (m)" in without


def test_outcome_without_fitness_has_none_in_its_behaviour() -> None:
    behaviour = outcome(FALLS).without_fitness().behaviour
    assert behaviour is not None
    assert repr(behaviour) == repr(FALLS.without_fitness())
    assert behaviour.typical == behaviour.worst == ()


def test_outcome_without_a_behaviour_reads_as_before() -> None:
    assert "What the policy did" not in text(None)


def test_every_kind_of_note_has_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    before = text(RUNS).count("\n")
    for kind in get_args(NoteKind):
        note = BehaviourNote(kind, "part", 2.0, 0.5)
        monkeypatch.setattr(module, "behaviour_notes", lambda *_, note=note: [note])
        assert text(RUNS).count("\n") == before + 1, kind


def test_text_stays_small_however_much_is_recorded() -> None:
    """Long names, many causes and components, six episodes: about 900 tokens."""
    long = "rms of a_variable_with_a_rather_long_name"
    wide = (-123.4, 56.78, 234.5)
    spread = QuantitySpread(long, "rad/s", wide, wide, wide)
    row = (0.123, -123.4, 0.5678, -9.123, 1234.5)
    sketch = replace(SKETCH, moments=(row,) * 6, cause="pen more than 0.12 m from the hand")
    effects = [ComponentEffect("c" * 30 + str(index), 1.0, 0.05, 0.5) for index in range(20)]
    much = replace(
        FALLS,
        ends=tuple(EndCause(f"{LEAN} number {index}", 6, 100.0) for index in range(10)),
        spreads=(spread,) * 11,
        columns=(long,) * 4,
        typical=(sketch,) * 3,
        worst=(sketch,) * 3,
        components=tuple(effects),
    )
    assert 2_500 < len(text(much, RISING)) - len(text(None, RISING)) <= 3_600


def test_behaviour_without_numbers_that_change_shows_no_episodes() -> None:
    still = replace(SKETCH, moments=((0.0,), (8.0,)))
    shown = text(replace(RUNS, spreads=(), columns=(), typical=(still,), worst=()))
    assert "Single episodes" not in shown
    assert "64 ended by: time limit" in shown


def test_end_of_episodes_is_not_told_where_they_cannot_end_early() -> None:
    shown = reflect(outcome(RUNS), max_episode_steps=1000, fitness_unit=None, ends_early=False)
    assert "time limit" not in shown
    assert "What the policy did" not in shown
    assert "torso_position.x" in shown

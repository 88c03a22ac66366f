"""What the grammar reads in a description and a training, and what its operators make of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

import pytest

from eureka_agent.proposers.grammar import GrammarProposer, operators, sampling
from eureka_agent.proposers.grammar.emit import component_names
from eureka_agent.proposers.grammar.genome import Feature, Genome, from_text, rounded
from eureka_agent.proposers.grammar.guidance import Advice, advise, credit
from eureka_agent.proposers.grammar.keywords import stems
from eureka_agent.proposers.grammar.measures import meaning, measure_of, unit
from eureka_agent.proposers.grammar.vocabulary import Vocabulary
from eureka_agent.records import Outcome, Prompt
from eureka_agent.tasks.registry import load_task
from eureka_agent.tasks.task import Task
from tests.support.grammar import ARM, ODD, PACKED, TINY, WALKER, outcome, ramp, term

ARM_WORDS = Vocabulary(ARM.reward_inputs, ARM.description)
NEAR = term(2.0, "distance", "cube", "cube_goal", shape="exp", scale=0.2)
HIGH = term(1.0, "height", "cube")
CALM = term(0.01, "speed", "arm_vel")
PARENT = Genome((NEAR, HIGH, CALM))
NAMES = component_names(PARENT, ARM.reward_inputs)
NO_ADVICE = (Advice(),) * 3


def worded(description: str, task: Task = WALKER) -> Vocabulary:
    return Vocabulary(task.reward_inputs, description)


def seeds(n: int = 200) -> Iterator[Random]:
    return (Random(seed) for seed in range(n))


# ---------------------------------------------------------------------- keywords
def test_stems() -> None:
    assert stems("hopping, jumps; falling and Spinning the pen_tip") == {
        "hop",
        "jump",
        "fall",
        "spin",
        "pen",
        "tip",
    }


@pytest.mark.parametrize(
    ("description", "feature", "direction"),
    [
        ("run forward as fast as possible", Feature("velocity", ("velocity",), 0), 1),
        ("walk backward", Feature("velocity", ("velocity",), 0), -1),
        ("jump as high as you can", Feature("height", ("torso",)), 1),
        ("lie down", Feature("height", ("torso",)), -1),
        ("stand upright", Feature("upright", ("torso_quat",)), 1),
        ("spin counter-clockwise", Feature("spin", ("angvel",), 2), 1),
        ("spin clockwise", Feature("spin", ("angvel",), 2), -1),
        ("do a backflip", Feature("spin", ("angvel",), 1), -1),
    ],
)
def test_the_description_decides_the_likeliest_features(
    description: str, feature: Feature, direction: int
) -> None:
    vocabulary = worded(description)
    assert feature in vocabulary.goals[:2]
    assert vocabulary.direction(feature) == direction


def test_a_backflip_in_a_plane_is_a_negative_pitch_velocity() -> None:
    vocabulary = worded("do a backflip", load_task("hopper_forward"))
    lean = Feature("element", ("torso_pitch_velocity",))
    assert vocabulary.goals[0] == lean
    assert vocabulary.direction(lean) == -1


def test_a_stated_goal_comes_first_without_a_keyword() -> None:
    assert set(worded("", ARM).goals[:2]) == {
        Feature("distance", ("cube", "cube_goal")),
        Feature("rotation", ("cube_rot", "goal_rot")),
    }


def test_upright_means_small_angles_and_a_bad_flag_is_unwanted() -> None:
    vocabulary = worded("balance it", ODD)
    tilt, position = (Feature("magnitude", ("reward",), axis) for axis in (1, 0))
    assert vocabulary.prior(tilt) == pytest.approx(4.0 * vocabulary.prior(position))
    assert worded("", ARM).direction(Feature("flag", ("dropped",))) == -1


def test_entries_of_a_packed_state_are_read_by_their_names() -> None:
    vocabulary = Vocabulary(PACKED.reward_inputs, PACKED.description)
    forward, potential = (
        Feature("velocity", ("root_states",), 7),
        Feature("increase", ("potentials",)),
    )
    assert vocabulary.goals[:2] == (forward, potential)
    assert Feature("height", ("root_states",), 2) in vocabulary.features
    assert unit(forward, vocabulary.spec) == unit(potential, vocabulary.spec) == "m/s"
    assert meaning(forward, vocabulary.spec) == "the linvel_x entry of root_states"
    assert not any(feature.names[:1] == ("targets",) for feature in vocabulary.features), (
        "what is given does nothing"
    )


# ---------------------------------------------------------------------- reading a training
def test_advice_from_a_training() -> None:
    advice = advise(
        PARENT,
        NAMES,
        outcome(
            PARENT,
            1.0,
            # Sizes 30 and 2: the first is 15 times the second. The third does not move: 0.001 of
            # 0.1.
            curves=[
                ramp(NAMES[0], 0.0, 30.0),
                ramp(NAMES[1], 2.0, -1.0),
                ramp(NAMES[2], -0.1, -0.099),
            ],
            correlations={NAMES[0]: 0.9, NAMES[1]: -0.8, NAMES[2]: math.nan},
        ),
    )
    assert advice[0] == Advice(dominance=15.0, correlation=0.9, size=30.0)
    assert advice[1] == Advice(correlation=-0.8, size=2.0)
    assert advice[2] == Advice(flat=True, size=0.1)
    assert (advice[0].helpful, advice[1].harmful, advice[2].harmful) == (True, True, False)


def test_a_large_regulariser_is_told_to_shrink_and_a_bonus_is_never_flat() -> None:
    genome = Genome((HIGH, CALM, term(1.0, "alive")))
    names = component_names(genome, ARM.reward_inputs)
    curves = [ramp(names[0], 0.0, 1.0), ramp(names[1], -50.0, -20.0), ramp(names[2], 1.0, 1.0)]
    advice = advise(genome, names, outcome(genome, 1.0, curves=curves))
    assert [advice.dominance for advice in advice] == [
        1.0,
        50.0,
        1.0,
    ]  # the other goal component reaches 1
    assert not advice[2].flat


def test_credit_is_effect_and_correlation() -> None:
    good = (Genome((NEAR,)), (Advice(correlation=0.3),))
    bad = (Genome((term(-1.0, "height", "cube"),)), (Advice(correlation=0.3),))
    # Ranks 1 and -1. NEAR is in the first alone, less height in the second alone; ridge regression
    # with weight 1: NEAR 1 / (1 + 1) = 0.5; height (-1)(-1) / (1 + 1) = 0.5. Correlations 0.3 / 1.5
    # = 0.2 and -0.3 / 1.5 = -0.2.
    shown = credit([good, bad], ARM_WORDS.direction)
    assert shown == pytest.approx({NEAR.main.feature: 0.7, HIGH.main.feature: 0.3})
    assert credit([], ARM_WORDS.direction) == {}
    experienced = ARM_WORDS.with_credit({NEAR.main.feature: 0.5, HIGH.main.feature: -0.5})
    # e^(4 * 0.5) times as likely, and the inverse.
    assert experienced.prior(NEAR.main.feature) == pytest.approx(
        math.exp(2) * ARM_WORDS.prior(NEAR.main.feature)
    )
    assert experienced.prior(HIGH.main.feature) == pytest.approx(
        math.exp(-2) * ARM_WORDS.prior(HIGH.main.feature)
    )


def test_a_feature_gets_no_credit_for_the_features_next_to_it() -> None:
    """A feature that occurs only with the good one gets less credit; alone it does badly."""
    advice = (Advice(), Advice())
    run = [
        (Genome((NEAR, HIGH)), advice),
        (Genome((NEAR,)), advice[:1]),
        (Genome((NEAR, CALM)), advice),
        (Genome((HIGH,)), advice[:1]),
        (Genome((CALM,)), advice[:1]),
    ]
    shown = credit(run, ARM_WORDS.direction)
    assert shown[NEAR.main.feature] > 0.4
    assert abs(shown[HIGH.main.feature]) < 0.1
    assert shown[CALM.main.feature] < -0.2


# ---------------------------------------------------------------------- operators
def test_numbers_stay_within_the_spread_and_structure_stays() -> None:
    for random in seeds():
        child = operators.mutate_numbers(ARM_WORDS, random, PARENT, NO_ADVICE, 2.0).genome
        assert [(t.main.feature, t.main.shape) for t in child.terms] == [
            (t.main.feature, t.main.shape) for t in PARENT.terms
        ]
        for before, after in zip(PARENT.terms, child.terms, strict=True):
            assert 0.499 <= after.weight / before.weight <= 2.01
            assert 0.499 <= after.main.scale / before.main.scale <= 2.01
        assert child != PARENT


def test_numbers_follow_the_advice() -> None:
    advice = (Advice(dominance=20.0), Advice(correlation=-0.9), Advice(correlation=0.8))
    ratios: list[list[float]] = [[], [], []]
    for random in seeds():
        child = operators.mutate_numbers(ARM_WORDS, random, PARENT, advice, 1.0001).genome
        for i, (before, after) in enumerate(zip(PARENT.terms, child.terms, strict=True)):
            ratios[i].append(after.weight / before.weight)
    for values, followed in zip(ratios, (2.0 / 20.0, 0.4, 1.8), strict=True):
        assert {rounded(value) for value in values} <= {1.0, rounded(followed)}
        share = sum(value != pytest.approx(1.0) for value in values) / len(values)
        assert 0.6 < share < 0.8  # advice is followed in 7 of 10 cases


def test_structure_changes_the_term_that_the_training_speaks_against() -> None:
    """At most 3 of 10 mutations leave a harmful term alone, plus those that flip another one."""
    advice = (Advice(correlation=0.9), Advice(correlation=-0.9), Advice())
    changed = 0
    for random in seeds():
        child = operators.mutate_structure(ARM_WORDS, random, PARENT, advice).genome
        assert NEAR.main.feature in {t.main.feature for t in child.terms}, (
            "what helps is never dropped"
        )
        changed += HIGH not in child.terms
    assert changed >= 0.65 * 200


def test_each_change_matches_its_note() -> None:
    random = Random(0)
    added = operators.add(ARM_WORDS, random, PARENT, 0)
    assert added is not None
    assert added.genome.terms[:3] == PARENT.terms
    assert added.genome.terms[3].main.feature not in {t.main.feature for t in PARENT.terms}
    dropped = operators.drop(ARM_WORDS, random, PARENT, 1)
    assert dropped is not None
    assert dropped.genome.terms == (NEAR, CALM)
    assert operators.drop(ARM_WORDS, random, Genome((NEAR,)), 0) is None
    flipped = operators.flip(ARM_WORDS, random, PARENT, 1)
    assert flipped is not None
    assert flipped.genome.terms == (NEAR, term(-1.0, "height", "cube"), CALM)
    gated = operators.gate(ARM_WORDS, random, PARENT, 0)
    assert gated is not None
    assert gated.genome.terms[0].main == NEAR.main
    assert len(gated.genome.terms[0].factors) == 2
    ungated = operators.gate(ARM_WORDS, random, gated.genome, 0)
    assert ungated is not None
    assert ungated.genome == PARENT
    assert operators.gate(ARM_WORDS, random, PARENT, 2) is None, (
        "a gated penalty would reward leaving the gate"
    )
    reshaped = operators.reshape(ARM_WORDS, random, PARENT, 0)
    assert reshaped is not None
    assert reshaped.genome.terms[0].main.feature == NEAR.main.feature
    assert reshaped.genome.terms[0].main.shape != "exp"


def test_crossover_takes_over_good_terms_at_a_matching_size() -> None:
    fast = term(4.0, "velocity", "cube_velocity", axis=0)
    first = (Genome((NEAR, HIGH)), (Advice(size=2.0), Advice(size=0.5)))
    second = (Genome((NEAR, fast)), (Advice(size=9.0), Advice(correlation=0.9, size=40.0)))
    for random in seeds(50):
        child = operators.crossover(ARM_WORDS, random, first, second).genome
        assert child.terms[:2] == (NEAR, HIGH), "NEAR is there already"
        (taken,) = child.terms[2:]
        assert taken.main == fast.main
        # 0.4 of the largest of the first: a size of 0.8, from 40 at weight 4: weight 0.08, within a
        # factor of 2.
        assert 0.039 <= taken.weight <= 0.161


def test_a_reward_of_penalties_gets_a_bonus_for_each_step() -> None:
    for random in seeds():
        genome = sampling.fresh(ARM_WORDS, random, 0)
        first = genome.terms[0].main
        penalty = first.shape == "linear" and measure_of(first.feature).polarity == "cost"
        assert [t.main.feature.measure for t in genome.terms[1:]] == (["alive"] if penalty else [])


# ---------------------------------------------------------------------- the proposer
def texts(prompt: Prompt, *indices: int, seed: int = 0) -> list[str]:
    return [
        completion.text
        for completion in GrammarProposer(ARM, seed).propose(dict.fromkeys(indices, prompt))
    ]


def history() -> tuple[Outcome, ...]:
    return (
        outcome(PARENT, 1.0, index=0),
        outcome(Genome((term(1.0, "upright", "cube_rot"),)), 0.5, index=1),
        outcome(Genome((CALM,)), None, index=2),
    )


def test_a_sample_depends_only_on_seed_generation_and_index() -> None:
    past = history()
    for prompt in (Prompt(0, ()), Prompt(1, (), past[:1], past)):
        together = texts(prompt, *range(8))
        assert together == [texts(prompt, index)[0] for index in range(8)]
        assert list(reversed(together)) == texts(prompt, *reversed(range(8)))
        assert len(set(together)) == 8
        assert together[1:] != texts(prompt, *range(8), seed=1)[1:]
    assert texts(Prompt(0, ()), 3) != texts(Prompt(1, ()), 3)


def test_completions_cost_nothing_and_name_the_grammar() -> None:
    (completion,) = GrammarProposer(ARM, 0).propose(dict.fromkeys([5], Prompt(0, ())))
    assert (completion.index, completion.proposer, completion.cost_usd) == (5, "grammar", 0.0)


def test_the_first_sample_is_the_plainest_reading() -> None:
    genome = from_text(texts(Prompt(0, ()), 0)[0])
    assert genome == Genome((term(1.0, "distance", "cube", "cube_goal", shape="exp", scale=0.3),))


def test_the_portfolio_builds_on_the_best() -> None:
    past = history()
    answers = texts(Prompt(1, (), past[:1], past), *range(8))
    assert [text.split("\n")[2].split(" ")[0] for text in answers] == [
        *("Changed", "Changed", "Crossed", "Changed", "Changed", "Changed", "This", "Changed")
    ]
    for index in (0, 1, 3, 4, 7):
        assert "g0c0 (fitness 1)" in answers[index]
    assert "g0c1 (fitness 0.5)" in answers[5]
    assert not any("g0c2" in text for text in answers), "a failure is never a parent"


@pytest.mark.parametrize("fitness", [1.0, None])
def test_without_a_grammar_parent_samples_are_new(fitness: float | None) -> None:
    past = (outcome(None, fitness), outcome(PARENT, None, index=1))
    for text in texts(Prompt(1, (), past[:1], past), *range(8)):
        assert "new start" in text or "plainest" in text


def test_a_genome_of_another_task_is_not_used_as_a_parent() -> None:
    foreign = outcome(Genome((term(1.0, "height", "nowhere"),)), 2.0)
    assert "new start" in texts(Prompt(1, (), (foreign,), (foreign,)), 1)[0]


def test_half_of_the_samples_are_new_if_all_fitness_is_equal() -> None:
    past = tuple(outcome(Genome((t,)), 0.0, index=i) for i, t in enumerate(PARENT.terms))
    answers = texts(Prompt(1, (), past[:1], past), *range(8))
    assert sum("new start" in text for text in answers) >= 4


def test_a_task_without_keywords_or_goals_still_gets_rewards() -> None:
    completions = list(GrammarProposer(TINY, 0).propose(dict.fromkeys(range(16), Prompt(0, ()))))
    assert len({completion.text for completion in completions}) == 16

"""What models are told of an environment, from a docstring that somebody else wrote."""

from __future__ import annotations

import pytest

from eureka_agent.simulation.gymnasium.docstrings import (
    description_of,
    notes_of,
    numbered_items,
    numbered_rows,
)

MARKDOWN = """
    ## Description
    A cart on a track, see [the paper](https://example.org). The goal is to park it.
    A positive reward is given for parking.

    ## Action Space
    The action is a `ndarray` with shape `(1,)`.

    - 0: push left
    - 1: push right

    ## Observation Space
    | Num | Observation | Min | Max | Unit |
    |-----|-------------|-----|-----|------|
    | 0   | place       | -1  | 1   | position (m) |
    | 1   | speed       | -2  | 2   | velocity (m/s) |

    The place is measured from the kerb.

    ## Rewards
    The sum of ten times the place and minus the speed.

    ## Starting State
    The cart starts at the kerb. Ten points are lost for leaving it.

    ## Arguments
    `weight` multiplies the payment for the place.
    """


def test_notes_hold_facts_and_nothing_of_the_environment_s_own_reward() -> None:
    assert notes_of(MARKDOWN).splitlines() == [
        "Description: A cart on a track, see the paper. The goal is to park it.",
        "Action space: - 0: push left - 1: push right",
        "Observation space: The place is measured from the kerb.",
        "Starting state: The cart starts at the kerb.",
    ]


def test_the_description_is_the_sentence_with_the_goal() -> None:
    assert description_of(MARKDOWN) == "The goal is to park it"
    assert description_of("A cart rolls. It gets a reward.") == "A cart rolls"
    assert description_of("The reward is 1.") == ""
    assert description_of("") == ""


@pytest.mark.parametrize(
    ("docstring", "notes"),
    [
        ("", ""),
        ("A cart.\n\nThe sum of ten times the place.", "A cart."),
        ("A cart. The total reward is the place.", "A cart."),
        ("Rewards:\n  +1 for the place.", ""),
    ],
)
def test_a_docstring_without_sections_gives_its_first_paragraph(docstring: str, notes: str) -> None:
    assert notes_of(docstring) == notes


def test_long_notes_are_cut() -> None:
    assert len(notes_of("## Description\n" + "A cart rolls. " * 1000)) < 3100


def test_tables_and_lists_are_read_by_number() -> None:
    rows = numbered_rows(MARKDOWN, "observation")
    assert {number: row["observation"] for number, row in rows.items()} == {0: "place", 1: "speed"}
    assert rows[1]["unit"] == "velocity (m/s)"
    assert numbered_items(MARKDOWN, "action") == {0: "push left", 1: "push right"}
    assert numbered_rows(MARKDOWN, "action") == {}

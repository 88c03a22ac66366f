"""Observations as named parts, and actions: parts are in the order of Gymnasium's flatten."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.spaces import flatdim, flatten

from eureka_agent.simulation.gymnasium.actions import action_names, actions_for, choices_of
from eureka_agent.simulation.gymnasium.spaces import observation_variables
from eureka_agent.simulation.gymnasium.words import identifier, unique

TABLE = """
    ## Observation Space
    | Num | Observation          | Min | Max | Unit      |
    |-----|----------------------|-----|-----|-----------|
    | 0   | Angle of the `arm`   | -1  | 1   | angle (rad) |
    | 1   | Angle of the arm     | -1  | 1   | angle (rad) |
    """
BOX = spaces.Box(-1.0, 1.0, (3,))


def names(space: spaces.Space[object], docstring: str = "") -> dict[str, tuple[int, ...]]:
    return {each.name: each.shape for each in observation_variables(space, docstring, "Env")}


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (BOX, {"obs_0": (), "obs_1": (), "obs_2": ()}),
        (spaces.Box(-1.0, 1.0, (30,)), {"obs": (30,)}),
        (spaces.Box(-1.0, 1.0, (2, 3)), {"obs": (2, 3)}),
        (spaces.Discrete(5, start=2), {"observation": (5,)}),
        (spaces.MultiBinary(4), {"observation": (4,)}),
        (spaces.MultiDiscrete([2, 3]), {"observation_0": (2,), "observation_1": (3,)}),
        (
            spaces.Dict({"b": BOX, "a": spaces.Dict({"c": spaces.Discrete(2), "The Goal": BOX})}),
            {"a_c": (2,), "a_goal": (3,), "b": (3,)},
        ),
        (spaces.Tuple((spaces.Discrete(2), BOX)), {"part_0": (2,), "part_1": (3,)}),
        (spaces.Dict({"action": BOX, "a-b": BOX, "a_b": BOX}), {"action_": (3,), "a_b": (3,), "a_b_2": (3,)}),
    ],
)  # fmt: skip
def test_parts_are_named_by_keys_and_indices(
    space: spaces.Space[object], expected: dict[str, tuple[int, ...]]
) -> None:
    assert names(space) == expected
    assert sum(math.prod(shape) for shape in expected.values()) == flatdim(space)


def test_parts_lie_in_the_flattened_observation_in_their_order() -> None:
    space = spaces.Dict({"b": BOX, "a": spaces.Discrete(2)})
    low = flatten(space, {"b": np.array([0.1, 0.2, 0.3], np.float32), "a": 1})
    assert list(names(space)) == ["a", "b"]
    assert np.asarray(low) == pytest.approx([0.0, 1.0, 0.1, 0.2, 0.3])


def test_entries_of_a_table_get_names_units_and_bounds() -> None:
    space = spaces.Box(
        np.array([-1, -1, -np.inf], np.float32), np.array([1, 1, np.inf], np.float32)
    )
    first, second, third = observation_variables(space, TABLE, "Env")
    assert (first.name, first.unit, first.kind) == ("angle_of_arm", "rad", "angle")
    assert first.meaning == "Angle of the arm, in [-1, 1]"
    assert second.name == "angle_of_arm_2"
    assert (third.name, third.meaning) == ("obs_2", "entry 2 of the observation")


def test_a_table_for_more_entries_than_there_are_is_not_used() -> None:
    assert names(spaces.Box(-1.0, 1.0, (1,)), TABLE) == {"obs_0": ()}


# ------------------------------------------------------------------ actions
@pytest.mark.parametrize(
    ("space", "action", "expected"),
    [
        (spaces.Box(-2.0, 4.0, (2,)), [[-1.0, 0.0]], [[-2.0, 1.0]]),
        (spaces.Box(-2.0, 4.0, (1, 2)), [[1.0, 9.0]], [[[4.0, 4.0]]]),
        (spaces.Discrete(3, start=5), [[0.0, 1.0, 0.0]], [6]),
        (spaces.MultiDiscrete([2, 3]), [[0.0, 1.0, 0.1, 0.0, 0.9]], [[1, 2]]),
        (spaces.MultiDiscrete([2, 2], start=[1, 3]), [[0.0, 1.0, 1.0, 0.0]], [[2, 3]]),
        (spaces.MultiBinary(2), [[1.0, 0.0, 0.0, 1.0]], [[0, 1]]),
    ],
)
def test_actions_become_elements_of_the_space(
    space: spaces.Space[object], action: list[list[float]], expected: list[object]
) -> None:
    taken = actions_for(space, np.array(action, np.float32))
    assert np.array(taken).tolist() == expected
    assert space.contains(taken[0])
    assert len(action[0]) == len(action_names(space, ""))
    assert sum(choices_of(space)) in (0, len(action[0]))


# ------------------------------------------------------------------ words
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Cart Position", "cart_position"),
        ("x = cos(theta)", "x_cos_theta"),
        ("theta2's velocity", "theta2_s_velocity"),
        ("lambda", "lambda_"),
        ("obs_buf", "obs_buf_"),
        ("3 legs", ""),
        ("ünder", "under"),
        ("日本", ""),
        ("x" * 60, ""),
        ("a\nb: import os", "b_import_os"),
    ],
)
def test_a_text_becomes_a_python_name_or_none(text: str, name: str) -> None:
    assert identifier(text) == name


def test_names_are_used_once() -> None:
    assert unique(["x", "x", "x_2", "x"]) == ("x", "x_2", "x_2_2", "x_3")

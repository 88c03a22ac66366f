"""The single numbers that describe a state: names, units and values."""

from __future__ import annotations

import pytest
import torch

from eureka_agent.simulation.quantities import QuantityReader
from eureka_agent.tasks.registry import find_task
from eureka_agent.tasks.task import StateSpec, StateVariable


def read(*variables: StateVariable, **state: torch.Tensor) -> dict[str, tuple[str, float]]:
    """Return each quantity's unit and its value in the first row."""
    reader = QuantityReader(StateSpec(variables))
    values = reader({"action": torch.zeros(len(next(iter(state.values()))), 1), **state})[0]
    pairs = zip(reader.quantities, values.tolist(), strict=True)
    return {quantity.name: (quantity.unit, value) for quantity, value in pairs}


def test_small_variable_is_read_entry_by_entry() -> None:
    place = StateVariable("place", (3,), "m", "world", "", "position")
    assert read(place, place=torch.tensor([[1.0, 2.0, 3.0]])) == {
        "place.x": ("m", 1.0),
        "place.y": ("m", 2.0),
        "place.z": ("m", 3.0),
    }


def test_entries_have_their_names_and_their_own_units() -> None:
    joints = StateVariable(
        "q", (2,), "m, rad", "-", "", "joint_positions", elements=("cart", "pole")
    )
    assert read(joints, q=torch.tensor([[1.0, 2.0]])) == {
        "q.cart": ("m", 1.0),
        "q.pole": ("rad", 2.0),
    }


def test_large_variable_is_its_root_mean_square() -> None:
    joints = StateVariable("q", (4,), "rad", "-", "", "joint_positions")
    name, (unit, value) = next(iter(read(joints, q=torch.tensor([[1.0, -1, 7, -7]])).items()))
    assert (name, unit) == ("rms of q", "rad")
    assert value == pytest.approx(5.0)


def test_variable_with_a_goal_gives_the_distance_or_the_angle() -> None:
    place = StateVariable("place", (3,), "m", "world", "", "position")
    goal = StateVariable("goal", (3,), "m", "world", "", "position", goal_for="place")
    axis = StateVariable("axis", (3,), "-", "world", "", "unit_vector")
    aim = StateVariable("aim", (3,), "-", "world", "", "unit_vector", goal_for="axis")
    found = read(
        *(place, goal, axis, aim),
        place=torch.tensor([[0.0, 3.0, 4.0]]),
        goal=torch.zeros(1, 3),
        axis=torch.tensor([[1.0, 0.0, 0.0]]),
        aim=torch.tensor([[0.0, 1.0, 0.0]]),
    )
    assert found["distance of place to goal"] == ("m", 5.0)
    assert found["angle of axis to aim"] == ("°", 90.0)
    assert "goal.x" not in found


def test_quaternions_several_places_and_the_time_are_left_out() -> None:
    assert (
        read(
            StateVariable("turn", (4,), "-", "world", "", "quaternion_wxyz"),
            StateVariable("tips", (5, 3), "m", "world", "", "position"),
            StateVariable("episode_time", (), "s", "-", ""),
            turn=torch.ones(1, 4),
            tips=torch.ones(1, 5, 3),
            episode_time=torch.ones(1),
        )
        == {}
    )


@pytest.mark.parametrize(
    "name", ["ant_forward", "ball_balance", "cartpole", "hopper_forward", "pen_spinning"]
)
def test_reader_of_a_bundled_task_reads_one_number_per_name(name: str) -> None:
    task = find_task(name)
    reader = QuantityReader(task.reward_inputs)
    values = reader(task.make_env(2, seed=0, reads=()).state)
    assert values.shape == (2, len(reader.quantities))
    assert len({quantity.name for quantity in reader.quantities}) == len(reader.quantities)

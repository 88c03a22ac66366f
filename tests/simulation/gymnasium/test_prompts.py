"""What a model is asked about an environment of Gymnasium."""

from __future__ import annotations

import pytest

from eureka_agent.prompting.prompt import write_prompt
from eureka_agent.simulation.gymnasium import GymnasiumTask, fitness_rule
from tests.support.prompts import user


def prompt_of(name: str, fitness: str = "env_return") -> str:
    task = GymnasiumTask(name, {}, fitness_rule(fitness))
    return user(write_prompt(task, task.description, 0, (), ()))


def test_a_prompt_names_state_units_options_and_fitness() -> None:
    text = prompt_of("CartPole-v1")
    assert "cart_velocity: Tensor  # (num_envs,) m/s: velocity of the cart" in text
    assert "entries: push_cart_to_left, push_cart_to_right" in text
    assert "in each step the policy takes one option\n" in text
    assert "is the sum over the episode of a score that the environment gives" in text
    assert "counts as solved from 475 return." in text
    assert "or earlier where the environment ends it." in text


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "Ant-v4"])
def test_a_prompt_speaks_of_no_code_that_there_is_not(name: str) -> None:
    text = prompt_of(name)
    for absent in ("terminated()", "`memory`", "what it sees", "actuator", "nan", "\n\n\n\n"):
        assert absent not in text


def test_continuous_actions_are_scaled_and_an_unknown_value_is_not_named() -> None:
    text = prompt_of("Pendulum-v1", "episode_length")
    assert "each entry of the action, in [-1, 1], is scaled to its whole range" in text
    assert "counts as solved from 200 steps." in text
    assert "counts as solved" not in prompt_of("Pendulum-v1")

"""Environments in another Python: this one plays the other, without our libraries in its path."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch

from eureka_agent.errors import SimulationError, TaskError, UnknownTaskError, UsageError
from eureka_agent.simulation.gymnasium import GymnasiumTask, names_code
from eureka_agent.simulation.gymnasium.fitness import fitness_rule
from eureka_agent.simulation.gymnasium.foreign import (
    demand_packages,
    foreign_env,
    foreign_versions,
    user_python,
)
from eureka_agent.simulation.gymnasium.space_data import (
    action_from_data,
    action_to_data,
    space_from_data,
    space_to_data,
)
from eureka_agent.tasks.registry import find_task

SPACES = (
    gymnasium.spaces.Box(-1.0, np.inf, (2, 3), np.float32),
    gymnasium.spaces.Discrete(4, start=2),
    gymnasium.spaces.MultiDiscrete([2, 5]),
    gymnasium.spaces.MultiBinary(3),
    gymnasium.spaces.Dict(
        {"a": gymnasium.spaces.Discrete(2), "b": gymnasium.spaces.Box(0.0, 1.0, (2,))}
    ),
    gymnasium.spaces.Tuple((gymnasium.spaces.Discrete(3), gymnasium.spaces.MultiBinary(1))),
)


@pytest.fixture(scope="module")
def python() -> str:
    return sys.executable


@pytest.mark.parametrize("space", SPACES, ids=lambda space: type(space).__name__)
def test_space_survives_as_plain_data(space: gymnasium.Space[object]) -> None:
    assert space_from_data(space_to_data(space)) == space


@pytest.mark.parametrize("space", SPACES[:4], ids=lambda space: type(space).__name__)
def test_action_survives_as_plain_data(space: gymnasium.Space[object]) -> None:
    space.seed(0)
    action = space.sample()
    assert space.contains(action_from_data(space, action_to_data(action)))
    np.testing.assert_array_equal(action_from_data(space, action_to_data(action)), action)


@pytest.mark.parametrize("data", [{}, {"kind": "Box"}, {"kind": "Text"}, {"kind": "Discrete"}])
def test_wrong_data_of_a_space_are_refused(data: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        space_from_data(data)


def test_environment_in_another_python_steps_like_one_here(python: str) -> None:
    there, here = (
        foreign_env(python, "Pendulum-v1", {"g": 5.0}),
        gymnasium.make("Pendulum-v1", g=5.0),
    )
    assert type(there).__name__ == type(here.unwrapped).__name__
    assert there.observation_space == here.observation_space
    np.testing.assert_allclose(there.reset(seed=3)[0], here.reset(seed=3)[0])
    here.action_space.seed(0)
    for _ in range(5):
        action = here.action_space.sample()
        ours, theirs = there.step(action), here.step(action)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
        assert ours[1:4] == theirs[1:4]
    there.close()


def test_task_in_another_python_gives_the_same_steps_as_here(python: str) -> None:
    rule = fitness_rule("env_return")
    here = GymnasiumTask("CartPole-v1", {}, rule)
    there = GymnasiumTask("CartPole-v1", {}, rule, python=python)
    assert there.state_spec == here.state_spec
    assert there.action_choices == here.action_choices
    assert there.dt == here.dt
    envs = [task.make_env(6, seed=1) for task in (here, there)]
    generator = torch.Generator().manual_seed(0)
    for _ in range(40):
        action = torch.rand(6, 2, generator=generator)
        ours, theirs = (env.step(action) for env in envs)
        assert torch.equal(ours.final_observation, theirs.final_observation)
        assert torch.equal(ours.terminated, theirs.terminated)
        assert ours.own_reward is not None
        assert theirs.own_reward is not None
        assert torch.equal(ours.own_reward, theirs.own_reward)


def test_id_with_python_finds_the_task_and_names_code(python: str) -> None:
    text = f'gym:CartPole-v1 {{"python": "{python}"}}'
    task = find_task(text)
    assert task.id == text
    assert names_code(text)
    assert not names_code("gym:CartPole-v1")


@pytest.mark.parametrize(
    ("name", "kwargs", "error", "words"),
    [
        ("NoSuch-v0", {}, UnknownTaskError, "has no environment 'NoSuch-v0'"),
        ("Pendulum-v1", {"no": 1}, UsageError, "cannot be made with the arguments no"),
        ("Pendulum-v1", {"g": "x"}, TaskError, "environment fails"),
    ],
)
def test_what_fails_there_is_said_here(
    python: str, name: str, kwargs: dict[str, object], error: type[Exception], words: str
) -> None:
    def steps() -> None:
        env = foreign_env(python, name, kwargs)
        env.reset(seed=0)
        env.step([0.0])

    with pytest.raises(error, match=words):
        steps()


def test_process_that_ends_is_named(python: str) -> None:
    env = foreign_env(python, "Pendulum-v1", {})
    process = env._channel._process  # type: ignore[attr-defined]
    process.kill()
    process.wait()
    with pytest.raises(SimulationError, match=r"The process of --python .* ended"):
        env.reset(seed=0)


def test_no_process_is_left_after_close(python: str) -> None:
    env = foreign_env(python, "Pendulum-v1", {})
    process = env._channel._process  # type: ignore[attr-defined]
    env.close()
    assert process.poll() is not None


def test_interpreter_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not an interpreter"):
        user_python(str(tmp_path / "python"))
    script = tmp_path / "fails"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    with pytest.raises(UsageError, match="cannot be run"):
        foreign_versions(user_python(str(script)))


def test_missing_package_is_named_with_the_command_that_installs_it(python: str) -> None:
    with pytest.raises(
        UsageError, match=r"lacks no_such_package: .* -m pip install no_such_package"
    ):
        demand_packages(python, "no_such_package")
    assert foreign_versions(python).packages["gymnasium"] == gymnasium.__version__


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("metaworld:drawer-open-v3", UsageError, "needs the package metaworld"),
        ("metaworld:drawer-opn", UnknownTaskError, "Did you mean 'drawer-open-v3'"),
        ('metaworld:drawer-open-v3 {"kwargs": {}}', UsageError, "unknown option 'kwargs'"),
    ],
)
def test_metaworlds_ids_that_cannot_be_made(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        find_task(text)


@pytest.mark.slow
@pytest.mark.skipif("METAWORLD_PYTHON" not in os.environ, reason="no METAWORLD_PYTHON is given")
def test_metaworld_in_its_own_python() -> None:
    options = f'{{"python": "{os.environ["METAWORLD_PYTHON"]}"}}'
    task = find_task(f"metaworld:drawer-open-v3 {options}")
    first, second = (task.make_env(4, seed=0) for _ in range(2))
    assert torch.equal(first.critic_observation, second.critic_observation)
    goals = first.state["goal_position"]
    assert len({tuple(goal) for goal in goals.tolist()}) > 1
    step = first.step(torch.zeros(4, 4))
    assert step.own_reward is not None
    assert (step.own_reward > 0.0).all()
    assert "success" not in task.reward_inputs.shapes
    assert task.fitness_solved == 1.0

"""The causes that a task names for the end of an episode, and where it terminates."""

from __future__ import annotations

import pytest
import torch

from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.tasks.registry import find_task

ROWS = 4096
TASKS = (
    *("ant_forward", "ball_balance", "cartpole", "hopper_forward", "humanoid_forward"),
    *("inverted_pendulum_balance", "pen_spinning", "quadcopter"),
)


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> MujocoTask:
    found = find_task(request.param)
    assert isinstance(found, MujocoTask)
    return found


def states_around_the_start(task: MujocoTask) -> dict[str, torch.Tensor]:
    """Return a start state `ROWS` times, changed by 0.01 to 300 in each number's own unit."""
    random = torch.Generator().manual_seed(0)
    start = task.make_env(1, seed=0, reads=()).state
    states: dict[str, torch.Tensor] = {}
    for name, value in start.items():
        shape = (ROWS, *value.shape[1:])
        rows = (ROWS, *(1 for _ in value.shape[1:]))
        size = 10.0 ** (torch.rand(rows, generator=random) * 4.5 - 2.0)
        states[name] = value + size * torch.randn(shape, generator=random)
    return states


def test_some_cause_holds_exactly_where_the_task_terminates(task: MujocoTask) -> None:
    states = states_around_the_start(task)
    causes = task.end_causes(states)
    terminated = task.terminated(states, {})
    assert 0 < terminated.sum() < ROWS
    assert torch.equal(torch.stack([*causes.values()]).any(dim=0), terminated)


def test_every_cause_ends_some_episode_alone(task: MujocoTask) -> None:
    causes = task.end_causes(states_around_the_start(task))
    held = torch.stack([*causes.values()])
    alone = held & (held.sum(dim=0) == 1)
    assert alone.any(dim=1).all(), [*causes]

"""Tasks that use the scene of another one: the ant that lies down and the hopper's backflip."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from eureka_agent.errors import UsageError
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import InitialState
from tests.support.mujoco_tasks import mujoco_task

LIE, FLIP = mujoco_task("ant_lie_down"), mujoco_task("hopper_backflip")


@pytest.mark.parametrize("task", [LIE, FLIP], ids=["lie", "flip"])
def test_nobody_wrote_a_reward_for_it_and_episodes_have_full_length(task: MujocoTask) -> None:
    assert not task.has_human_reward
    with pytest.raises(UsageError, match="no human reward"):
        _ = task.human_reward
    env = task.make_env(2, seed=0)
    ends: list[Tensor] = []
    while not ends:
        step = env.step(torch.zeros(2, task.action_size))
        ends += [step.finished.length] if len(step.finished.length) else []
    assert ends[0].tolist() == [task.max_episode_steps] * 2


def test_lying_still_counts_and_standing_or_moving_does_not() -> None:
    root = torch.zeros(3, 13)
    root[:, 2] = torch.tensor([0.28, 0.5, 0.28])
    root[:, 7] = torch.tensor([0.0, 0.0, 1.0])
    assert LIE.fitness({"root_states": root}, {}).tolist() == pytest.approx([1 / 300, 0.0, 0.0])


def flip(poses: list[tuple[float, float]]) -> float:
    """Return the fitness of a hopper that takes these heights and leans, one after the other."""
    engine = FLIP.make_env(1, seed=0)._engine
    nothing = torch.zeros(1)
    memory = {"turned": nothing, "landed": nothing, "gained": nothing}
    total = 0.0
    for height, lean in poses:
        qpos = torch.tensor([[0.0, height, lean, 0.0, 0.0, 0.0]])
        physics = engine.reset(torch.tensor([0]), InitialState(qpos, torch.zeros(1, 6)))
        memory = dict(FLIP.update_episode_state(physics, memory))
        total += float(FLIP.fitness({}, memory))
    return total


def test_full_turn_backwards_with_a_landing_is_solved() -> None:
    turn = [(1.5, -angle * math.pi / 8) for angle in range(17)]
    assert flip(turn) == pytest.approx(0.6 + 0.4 / 50)
    assert flip(turn + [(1.25, -2.0 * math.pi)] * 60) == pytest.approx(1.0)


def test_turn_forwards_or_on_the_floor_counts_nothing() -> None:
    assert flip([(1.5, angle * math.pi / 8) for angle in range(17)]) == 0.0
    assert flip([(0.3, -angle * math.pi / 8) for angle in range(17)]) == 0.0


def test_standing_without_a_turn_counts_nothing() -> None:
    assert flip([(1.25, 0.0)] * 60) == 0.0

"""The quadcopter: its contract, what thrust does, its end and its fitness."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.support.mujoco_tasks import mujoco_task
from tests.support.task_contract import check_contract, reward_of

TASK = mujoco_task("quadcopter")
WEIGHT_N = 9.81 * float(TASK.model.body_mass.sum())


def hovering(height: float) -> dict[str, Tensor]:
    return {
        "root_positions": torch.tensor([[0.0, 0.0, height]]),
        "root_quats": torch.tensor([[0.0, 0.0, 0.0, 1.0]]),
        "root_angvels": torch.zeros(1, 3),
        "target_root_positions": torch.tensor([[0.0, 0.0, 1.0]]),
        "episode_time": torch.tensor([1.0]),
    }


def test_contract() -> None:
    check_contract(TASK)


def test_thrust_of_its_weight_keeps_its_vertical_speed() -> None:
    env = TASK.make_env(8, seed=0)
    action = torch.zeros(8, 12)
    action[:, 8:] = WEIGHT_N / 4.0 / 2.0  # of 2 N in each step
    env.step(action)
    before = env.state["root_linvels"][:, 2]
    for _ in range(10):
        env.step(torch.zeros(8, 12))
    after = env.state["root_linvels"][:, 2]
    # Tilted rotors lift a little less: cos(0.2) twice.
    assert (after - before).abs().max() < 0.05 * 9.81 * 0.1


def test_tilts_follow_their_targets() -> None:
    env = TASK.make_env(4, seed=0)
    action = torch.zeros(4, 12)
    action[:, 0] = 1.0
    for _ in range(10):
        env.step(action)
    assert env.state["dof_positions"][:, 0].min() > 0.4
    assert env.state["dof_positions"][:, 2:].abs().max() < 0.3


def test_early_end_counts_the_steps_that_are_left_as_2_m() -> None:
    low = hovering(0.29)
    assert TASK.terminated(low, {}).item()
    # 1 s of 5 s has passed: 400 steps are left.
    expected = -(0.71 + 400 * 2.0) / 500
    assert TASK.fitness(low, {}).item() == pytest.approx(expected)
    assert TASK.fitness(hovering(0.5), {}).item() == pytest.approx(-0.5 / 500)


def test_human_reward_is_highest_at_the_target() -> None:
    at_target, below = (float(reward_of(TASK, hovering(height))[0]) for height in (1.0, 0.5))
    assert at_target == pytest.approx(3.0)
    assert below < at_target


def test_sparse_reward_pays_near_the_target() -> None:
    paid = [TASK.sparse_reward(hovering(height), {}).item() for height in (1.1, 1.3)]
    assert paid == [1.0, 0.0]

"""The humanoid: its contract, joints in the order of the actions, and its end."""

from __future__ import annotations

import torch

from tests.support.mujoco_tasks import mujoco_task
from tests.support.task_contract import check_contract

TASK = mujoco_task("humanoid_forward")


def test_contract() -> None:
    check_contract(TASK, steps=15)


def test_each_action_moves_its_own_joint() -> None:
    model = TASK.model
    joints = [int(joint) for joint, _ in model.actuator_trnid]
    assert [model.joint(joint).name for joint in joints] == list(TASK.action_names)
    assert [int(model.jnt_qposadr[joint]) - 7 for joint in joints] == list(range(17))
    assert model.actuator_ctrlrange.tolist() == [[-1.0, 1.0]] * 17


def test_torque_of_a_full_action_is_gymnasiums() -> None:
    gears = dict(zip(TASK.action_names, TASK.model.actuator_gear[:, 0].tolist(), strict=True))
    assert gears["abdomen_x"] == 40.0
    assert gears["right_hip_y"] == 120.0
    assert gears["left_elbow"] == 10.0


def test_episode_ends_when_the_torso_is_low() -> None:
    root = torch.zeros(2, 13)
    root[:, 2] = torch.tensor([0.81, 0.79])
    state = {"root_states": root}
    assert TASK.terminated(state, {}).tolist() == [False, True]
    assert TASK.end_causes(state)["torso below 0.8 m"].tolist() == [False, True]


def test_it_falls_when_it_does_nothing() -> None:
    env = TASK.make_env(4, seed=0)
    lengths: list[float] = []
    while len(lengths) < 4:
        lengths += env.step(torch.zeros(4, 17)).finished.length.tolist()
    assert max(lengths) < 90  # 1.5 s

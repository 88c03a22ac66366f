import math

import mujoco
import numpy as np
import pytest
import torch
from torch import Tensor

from eureka_agent.simulation import CpuEngine, MujocoEnvironment
from eureka_agent.simulation.physics import InitialState
from eureka_agent.tasks.registry import find_task
from tests.support.mujoco_tasks import mujoco_task
from tests.support.task_contract import check_contract, reward_of

TASK = mujoco_task("ball_balance")


def state(
    ball: tuple[float, float, float], velocity: tuple[float, float, float]
) -> dict[str, Tensor]:
    return {"ball_positions": torch.tensor([ball]), "ball_linvels": torch.tensor([velocity])}


def settle(ctrl: list[float], steps: int) -> dict[str, Tensor]:
    """Return the state after `steps` environment steps, from a ball that lies in the middle of the
    tray."""
    qpos = torch.as_tensor(TASK.model.qpos0, dtype=torch.float32)[None].clone()
    qpos[:, 15] = TASK.state_spec.constants["tray_height"] + 0.01 + 0.1
    engine = CpuEngine(TASK.model, 1, threads=1)
    engine.reset(torch.tensor([0]), InitialState(qpos=qpos, qvel=torch.zeros(1, 18)))
    view = engine.step(torch.tensor([ctrl]), steps * TASK.frame_skip)
    return TASK.state(view, {})


def test_contract() -> None:
    check_contract(TASK)


def test_is_found_by_its_description() -> None:
    assert find_task("Keep the ball on the table top, without falling.") is TASK


def test_feet_stand_below_the_hips() -> None:
    data = mujoco.MjData(TASK.model)
    mujoco.mj_forward(TASK.model, data)
    # Legs are two segments of 0.36 m at right angles: 0.36 sqrt(2) high, with half a tray and two
    # leg radii above.
    assert TASK.state_spec.constants["tray_height"] == pytest.approx(
        0.36 * math.sqrt(2) + 0.01 + 2 * 0.02, abs=1e-6
    )
    assert np.abs(data.efc_pos[:9]).max() < 1e-9  # the feet are at their anchors
    for leg in range(3):
        lower = data.body(f"lower_leg{leg}")
        foot = lower.xpos + lower.xmat.reshape(3, 3) @ [0.2545584, 0.0, -0.2545584]
        angle = 2 * math.pi * leg / 3
        np.testing.assert_allclose(
            foot, [0.4 * math.cos(angle), 0.4 * math.sin(angle), 0.02], atol=1e-6
        )


def test_load_cells_measure_the_weight_of_plate_and_ball() -> None:
    resting = settle([0.0, 0.0, 0.0], 100)
    # Plate 1.4708 kg and ball 0.8378 kg: 22.65 N, at 0.4 m from each sensor 9.06 N m about its y
    # axis.
    weight = (1.4707963 + 200 * 4 / 3 * math.pi * 0.1**3) * 9.81
    torch.testing.assert_close(
        resting["sensor_forces"][0, :, 2], torch.full((3,), weight), rtol=1e-2, atol=0.0
    )
    torch.testing.assert_close(
        resting["sensor_torques"][0, :, 1], torch.full((3,), 0.4 * weight), rtol=1e-2, atol=0.0
    )
    # The ball, 0.1 m in radius, lies on half a plate of 0.02 m.
    above_tray = resting["ball_positions"] - resting["tray_positions"]
    torch.testing.assert_close(above_tray, torch.tensor([[0.0, 0.0, 0.11]]), rtol=0.0, atol=2e-3)


def test_knees_lift_and_tilt_the_tray() -> None:
    level, high = settle([0.0, 0.0, 0.0], 50), settle([0.3, 0.3, 0.3], 50)
    assert high["tray_positions"][0, 2] > level["tray_positions"][0, 2] + 0.05
    assert high["ball_positions"][0, :2].norm() < 0.01
    # The side of leg 0 (+x) goes up, the ball rolls to the other.
    assert settle([0.2, -0.1, -0.1], 30)["ball_positions"][0, 0] < -0.03


def test_actions_move_the_targets_within_the_range_of_the_knees() -> None:
    targets = TASK.control(
        torch.tensor([[1.0, -0.5, 1.0]]), {"targets": torch.tensor([[0.0, 0.1, 1.5]])}
    )
    torch.testing.assert_close(targets, torch.tensor([[0.2, 0.0, math.pi / 2]]))
    environment = MujocoEnvironment(TASK, 1, seed=0)
    for _ in range(2):
        environment.step(torch.tensor([[0.5, 0.0, -0.25]]))
    torch.testing.assert_close(environment.observation[0, 12:], torch.tensor([0.2, 0.0, -0.1]))


def test_random_actions_stay_physical() -> None:
    environment = MujocoEnvironment(TASK, 8, seed=0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        step = environment.step(torch.rand(8, 3, generator=generator) * 2.0 - 1.0)
        assert not step.bad.any()
        assert (
            (step.state["tray_positions"][:, 2] > 0.15) & (step.state["tray_positions"][:, 2] < 0.8)
        ).all()


def test_ends_when_the_ball_is_below_one_and_a_half_radii() -> None:
    limit = torch.tensor(0.15)
    below = torch.nextafter(limit, torch.tensor(0.0))
    assert not TASK.terminated(state((0.0, 0.0, float(limit)), (0.0, 0.0, 0.0)), {}).any()
    assert TASK.terminated(state((0.0, 0.0, float(below)), (0.0, 0.0, 0.0)), {}).all()


def test_start_states_are_in_their_ranges() -> None:
    start = MujocoEnvironment(TASK, 1000, seed=1).state
    position, velocity = start["ball_positions"], start["ball_linvels"]
    distance = position[:, :2].norm(dim=1)
    assert distance.max() <= 0.3
    assert position[:, 2].min() >= 1.0
    assert position[:, 2].max() <= 1.5
    torch.testing.assert_close(velocity[:, 2], torch.full((1000,), -2.0))
    inwards = -(velocity * position)[:, :2].sum(dim=1) / distance
    torch.testing.assert_close(inwards, velocity[:, :2].norm(dim=1), rtol=1e-3, atol=1e-4)
    assert (inwards <= 2.0 * distance / 0.3 + 1e-4).all()


def test_fitness_is_the_length_of_the_episode() -> None:
    environment = MujocoEnvironment(TASK, 16, seed=0)
    while True:
        step = environment.step(torch.zeros(16, 3))
        if len(step.finished.env_ids):
            break
    assert torch.equal(step.finished.fitness, step.finished.length)
    assert (step.state["ball_positions"][step.finished.env_ids, 2] < 0.15).all()


def test_human_reward() -> None:
    # 0.3 m to the side of and 0.4 m above (0, 0, 0.7): 1 / (1 + 0.5); at 5 m/s: 1 / (1 + 5); together 2/3 *
    # 1/6 = 1/9
    reward, components = reward_of(TASK, state((0.3, 0.0, 1.1), (0.0, 3.0, -4.0)))
    assert components["position"].item() == pytest.approx(2 / 3)
    assert components["speed"].item() == pytest.approx(1 / 6)
    assert reward.item() == pytest.approx(1 / 9)

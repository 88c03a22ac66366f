import math

import pytest
import torch
from torch import Tensor

from eureka_agent.simulation import CpuEngine, MujocoEnvironment
from eureka_agent.simulation.physics import InitialState
from eureka_agent.tasks.registry import find_task
from tests.support.mujoco_tasks import mujoco_task
from tests.support.task_contract import check_contract, reward_of

TASK = mujoco_task("hopper_forward")


def state(**changes: Tensor) -> dict[str, Tensor]:
    """Return the state of one environment, standing at rest, except for `changes`."""
    standing = {
        "torso_position": torch.tensor([[0.0, 0.0, 1.25]]),
        "torso_velocity": torch.zeros(1, 3),
        "torso_pitch": torch.zeros(1),
        "torso_pitch_velocity": torch.zeros(1),
        "joint_positions": torch.zeros(1, 3),
        "joint_velocities": torch.zeros(1, 3),
    }
    return standing | changes


def at_height(height: float) -> Tensor:
    return torch.tensor([[0.0, 0.0, height]])


def after(value: float, towards: float = math.inf) -> float:
    """Return the next float32."""
    return float(torch.nextafter(torch.tensor(value), torch.tensor(towards)))


def test_contract() -> None:
    check_contract(TASK)


def test_is_found_by_an_alias_in_words() -> None:
    assert find_task("make the hopper hop forward") is TASK


def test_dt_is_the_step_of_the_model() -> None:
    assert TASK.state_spec.constants["dt"] == pytest.approx(TASK.dt) == pytest.approx(1 / 125)


def test_ends_at_gymnasiums_thresholds() -> None:
    going_on = [
        state(torso_position=at_height(after(0.7))),
        state(torso_pitch=torch.tensor([after(0.2, 0.0)])),
        state(torso_pitch=torch.tensor([-after(0.2, 0.0)])),
        state(joint_velocities=torch.tensor([[0.0, -after(100.0, 0.0), 0.0]])),
    ]
    over = [
        state(torso_position=at_height(0.7)),
        state(torso_pitch=torch.tensor([0.2])),
        state(torso_pitch=torch.tensor([-0.2])),
        state(joint_velocities=torch.tensor([[0.0, -100.0, 0.0]])),
        state(torso_velocity=torch.tensor([[0.0, 0.0, 100.0]])),
    ]
    assert [bool(TASK.terminated(s, {})) for s in going_on] == [False] * 4
    assert [bool(TASK.terminated(s, {})) for s in over] == [True] * 5


def test_fitness_is_distance_over_the_nominal_eight_seconds() -> None:
    assert TASK.episode_length_s == pytest.approx(8.0)
    # 0.02 m in a step of 8 ms are 2.5 m/s, and 2.5 / 1000 of the episode's mean speed.
    assert TASK.fitness({}, {"progress": torch.tensor([0.02])}).item() == pytest.approx(0.0025)


def test_early_fall_earns_only_the_distance_covered() -> None:
    environment = MujocoEnvironment(TASK, 1, seed=0)
    start = environment.state["torso_position"][0, 0]
    while not (step := environment.step(torch.tensor([[0.3, 0.0, 0.0]]))).terminated[0]:
        pass
    moved = step.state["torso_position"][0, 0] - start
    assert abs(moved) > 0.01
    torch.testing.assert_close(step.finished.fitness[0], moved / 8.0, rtol=1e-4, atol=1e-6)
    # the new episode starts at 0
    following = environment.step(torch.zeros(1, 3))
    assert following.fitness.abs()[0] < 1e-4


def test_state_reads_the_body() -> None:
    engine = CpuEngine(TASK.model, 1, threads=1)
    qpos = torch.tensor([[2.0, 3.0, 0.1, -0.2, -0.3, 0.4]])  # x, z, lean, thigh, leg, foot
    qvel = torch.tensor([[1.0, -0.5, 0.7, 0.0, 0.0, 0.0]])
    view = engine.reset(torch.tensor([0]), InitialState(qpos=qpos, qvel=qvel))
    read = TASK.state(view, {})
    torch.testing.assert_close(read["torso_position"], torch.tensor([[2.0, 0.0, 3.0]]))
    torch.testing.assert_close(read["torso_velocity"], torch.tensor([[1.0, 0.0, -0.5]]))
    torch.testing.assert_close(read["torso_pitch"], torch.tensor([0.1]))
    torch.testing.assert_close(read["torso_pitch_velocity"], torch.tensor([0.7]))
    torch.testing.assert_close(read["joint_positions"], torch.tensor([[-0.2, -0.3, 0.4]]))
    assert read["foot_position"][0, 2] < 2.0
    assert read["foot_contact_force"].item() == 0.0  # in flight


def test_foot_force_stops_the_fall() -> None:
    environment = MujocoEnvironment(TASK, 1, seed=0)
    forces = [
        environment.step(torch.zeros(1, 3)).state["foot_contact_force"].item() for _ in range(30)
    ]
    # It starts 0.04 m above the floor: sqrt(2 * 0.04 / 9.81) = 0.09 s = 11 steps of free fall.
    assert forces[:8] == [0.0] * 8
    assert max(forces) > 15.8 * 9.81  # it stops the fall, so more than the weight


def test_human_reward() -> None:
    moving = state(
        torso_position=torch.tensor([[1.02, 0.0, 1.2]]),
        prev_torso_position=torch.tensor([[1.0, 0.0, 1.2]]),
        action=torch.tensor([[1.0, -1.0, 0.5]]),
    )
    # 0.02 m / 8 ms = 2.5; healthy 1; 0.001 * (1 + 1 + 0.25) = 0.00225
    reward, components = reward_of(TASK, moving)
    assert components["forward"].item() == pytest.approx(2.5, abs=1e-4)
    assert components["control_cost"].item() == pytest.approx(-0.00225)
    assert reward.item() == pytest.approx(3.49775, abs=1e-4)
    assert reward_of(TASK, moving | {"torso_pitch": torch.tensor([0.2])})[
        0
    ].item() == pytest.approx(2.49775, abs=1e-4)

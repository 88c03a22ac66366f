import math
from typing import Any

import mujoco
import numpy as np
import pytest
import torch
from torch import Tensor

from eureka_agent.simulation import CpuEngine, MujocoEnvironment, PhysicsView
from eureka_agent.simulation.physics import InitialState
from eureka_agent.tasks import rotations
from eureka_agent.tasks.registry import find_task
from tests.support.mujoco_tasks import mujoco_task
from tests.support.task_contract import check_contract, reward_of

TASK = mujoco_task("ant_forward")
ROOT = math.sqrt(0.5)


def view(qpos: list[float], qvel: list[float]) -> dict[str, Tensor]:
    """Return the state of one environment with this torso and straight joints."""
    engine = CpuEngine(TASK.model, 1, threads=1)
    ankles = torch.tensor([0.0, 0.6, 0.0, -0.6, 0.0, -0.6, 0.0, 0.6])
    start = InitialState(
        qpos=torch.cat((torch.tensor(qpos), ankles))[None],
        qvel=torch.cat((torch.tensor(qvel), torch.zeros(8)))[None],
    )
    physics = engine.reset(torch.tensor([0]), start)
    return {**TASK.state(physics, {}), "action": torch.zeros(1, 8)}


def hand_made() -> dict[str, Tensor]:
    root = torch.zeros(1, 13)
    root[0, 2], root[0, 6] = 0.5, 1.0
    limits = torch.full((1, 8), 0.5)
    return {
        "root_states": root,
        "targets": torch.tensor([[1000.0, 0.0, 0.0]]),
        "prev_potentials": torch.tensor([-60000.0]),
        "potentials": torch.tensor([-59998.0]),
        "up_vec": torch.tensor([[0.0, 0.0, 1.0]]),
        "heading_vec": torch.tensor([[0.6, 0.8, 0.0]]),
        "dof_pos": torch.tensor([[0.5, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]),
        "dof_vel": torch.tensor([[0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]]),
        "dof_limits_lower": -limits,
        "dof_limits_upper": limits,
        "action": torch.tensor([[1.0, 0.0, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0]]),
        "actions": torch.tensor([[1.0, 0.0, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0]]),
    }


def test_contract() -> None:
    check_contract(TASK)


def test_is_found_by_an_alias_in_words() -> None:
    assert find_task("make the ant run forward") is TASK


def test_dt_is_the_step_of_the_model() -> None:
    assert TASK.state_spec.constants["dt"] == pytest.approx(TASK.dt)


def test_root_states_are_in_isaac_gyms_order() -> None:
    # A quarter turn to the left; a free joint's angular velocity is in the body's frame,
    # root_states' in the world's.
    state = view([1.0, 2.0, 0.7, ROOT, 0.0, 0.0, ROOT], [3.0, 4.0, 5.0, 0.1, 0.2, 0.3])
    expected = [1.0, 2.0, 0.7, 0.0, 0.0, ROOT, ROOT, 3.0, 4.0, 5.0, -0.2, 0.1, 0.3]
    torch.testing.assert_close(state["root_states"][0], torch.tensor(expected))
    torch.testing.assert_close(state["heading_vec"][0], torch.tensor([0.0, 1.0, 0.0]))
    torch.testing.assert_close(state["up_vec"][0], torch.tensor([0.0, 0.0, 1.0]))


def test_potential_rises_by_the_speed_towards_the_target() -> None:
    upright = [1.0, 0.0, 0.0, 0.0]
    before, after = (view([x, 0.0, 0.7, *upright], [0.0] * 6) for x in (0.0, 0.05))
    assert before["potentials"].item() == pytest.approx(-1000.0 * 60.0)
    # 0.05 m in 1/60 s are 3 m/s; float32 holds 60000 to 0.004
    assert (after["potentials"] - before["potentials"]).item() == pytest.approx(3.0, abs=0.01)


def test_observation_is_in_the_torsos_own_frame() -> None:
    state = view([0.0, 0.0, 0.7, ROOT, 0.0, 0.0, ROOT], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    observation = TASK.observation(state, {})[0]
    assert observation.shape == (37,)
    # Turned to the left and moving along x: to its own right (-y), as is the target.
    torch.testing.assert_close(observation[1:4], torch.tensor([0.0, -1.0, 0.0]))
    torch.testing.assert_close(observation[7:10], torch.tensor([0.0, 0.0, 1.0]))
    torch.testing.assert_close(observation[10:13], torch.tensor([0.0, -1.0, 0.0]))
    # The first ankle, range 30° to 70°, stands at 0.6 rad = 34.4°: 2 * (34.38 - 50) / 40 = -0.781
    assert observation[14].item() == pytest.approx(-0.781, abs=1e-3)


# ---------------------------------------------------------------------- Isaac Gym's other names
ANKLES = ("left_ankle_geom", "right_ankle_geom", "third_ankle_geom", "fourth_ankle_geom")


def unlisted(name: str, data: Any) -> Tensor:
    """Return the variable of one environment, from MuJoCo's data with all forces up to date."""
    fields = (data.qpos, data.qvel, data.ctrl, data.sensordata)
    physics = PhysicsView(
        TASK.model, *(torch.tensor(field, dtype=torch.float32)[None] for field in fields)
    )
    return TASK.unlisted_state(name, physics, {}, TASK.state(physics, {}))[0]


def landed(quat: list[float], steps: int = 120) -> Any:
    """Return MuJoCo's data of an ant that has fallen onto its feet with this heading and moves."""
    data = mujoco.MjData(TASK.model)
    data.qpos[2:7] = [0.6, *quat]
    data.qpos[7:] = [0.2, 0.8, -0.1, -0.8, 0.3, -0.8, 0.1, 0.8]
    mujoco.mj_step(TASK.model, data, nstep=steps)
    mujoco.mj_forward(TASK.model, data)
    return data


def test_names_and_sizes_are_those_of_isaac_gyms_class() -> None:
    shapes = {v.name: v.shape for v in TASK.reward_inputs.unlisted}
    expected = {
        "vec_sensor_tensor": (24,),
        "inv_start_rot": (4,),
        "basis_vec0": (3,),
        "basis_vec1": (3,),
        "actions": (8,),
    }
    assert shapes == {**expected, "obs_buf": (37,)}


def test_forces_on_the_feet_of_a_standing_ant_add_up_to_its_weight() -> None:
    data = landed([1.0, 0.0, 0.0, 0.0], steps=1200)
    feet = unlisted("vec_sensor_tensor", data).view(4, 6)
    up = torch.zeros(1)
    for foot, ankle in zip(feet, ANKLES, strict=True):
        own = torch.tensor(
            data.xmat[TASK.model.geom(ankle).bodyid[0]].reshape(3, 3), dtype=torch.float32
        )
        up += (own @ foot[:3])[2]
    touching = {
        TASK.model.geom(int(geom)).name for contact in data.contact for geom in contact.geom
    }
    assert touching == {"floor", *ANKLES}
    assert up.item() == pytest.approx(TASK.model.body_mass.sum() * 9.81, rel=0.01)


def test_sensor_tensor_is_the_wrench_of_the_contacts_on_each_foot() -> None:
    touched = 0
    for steps in (60, 80, 120, 200):
        data = landed([0.8, 0.1, -0.2, 0.5], steps)
        for foot, ankle in zip(unlisted("vec_sensor_tensor", data).view(4, 6), ANKLES, strict=True):
            geom, expected = TASK.model.geom(ankle), np.zeros(6)
            body = data.body(int(geom.bodyid[0]))
            for index, contact in enumerate(data.contact):
                if geom.id not in contact.geom:
                    continue
                touched += 1
                wrench = np.zeros(6)
                mujoco.mj_contactForce(TASK.model, data, index, wrench)
                axes = contact.frame.reshape(3, 3)  # the force of the first geom on the second
                sign = 1.0 if contact.geom[1] == geom.id else -1.0
                force, torque = sign * axes.T @ wrench[:3], sign * axes.T @ wrench[3:]
                expected += np.concatenate(
                    (force, torque + np.cross(contact.pos - body.xpos, force))
                )
            own = body.xmat.reshape(3, 3).T
            expected = np.concatenate((own @ expected[:3], own @ expected[3:]))
            np.testing.assert_allclose(
                foot.numpy(), expected, atol=1e-4 * max(1.0, np.abs(expected).max())
            )
    assert touched > 5


def test_sensor_tensor_is_0_in_the_air_and_at_the_start_of_an_episode() -> None:
    data = mujoco.MjData(TASK.model)
    data.qpos[2] = 2.0
    mujoco.mj_forward(TASK.model, data)
    assert not unlisted("vec_sensor_tensor", data).any()
    environment = MujocoEnvironment(TASK, 3, seed=0)
    assert not environment.state["vec_sensor_tensor"].any()
    for _ in range(30):
        step = environment.step(torch.zeros(3, 8))
    assert step.state["vec_sensor_tensor"].abs().amax(dim=1).min() > 1.0
    environment.restart(torch.tensor([1]), torch.tensor([1]))
    assert environment.state["vec_sensor_tensor"].abs().amax(dim=1).gt(1.0).tolist() == [
        True,
        False,
        True,
    ]


def test_basis_vectors_are_the_torsos_axes_that_up_and_heading_are_in_the_world() -> None:
    environment = MujocoEnvironment(TASK, 4, seed=0)
    for _ in range(40):
        state = environment.step(torch.ones(4, 8)).state
    start, torso = (
        rotations.to_wxyz(q) for q in (state["inv_start_rot"], state["root_states"][:, 3:7])
    )
    turned = rotations.multiply(torso, start)
    torch.testing.assert_close(
        rotations.rotate(turned, state["basis_vec0"]), state["heading_vec"], atol=1e-5, rtol=0
    )
    torch.testing.assert_close(
        rotations.rotate(turned, state["basis_vec1"]), state["up_vec"], atol=1e-5, rtol=0
    )


def test_action_entries_drive_the_joints_in_the_order_of_dof_pos() -> None:
    model, data = TASK.model, mujoco.MjData(TASK.model)
    assert [model.joint(i).name for i in range(1, 9)] == list(TASK.action_names)
    for entry in range(8):
        data.ctrl[:] = TASK.control(torch.eye(8)[entry : entry + 1], {})[0].numpy()
        mujoco.mj_forward(model, data)
        np.testing.assert_allclose(data.qfrc_actuator[6:], 60.0 * np.eye(8)[entry])


def test_ends_when_the_torso_is_below_31_centimetres() -> None:
    root = torch.zeros(2, 13)
    root[:, 2] = torch.tensor([0.31, float(torch.nextafter(torch.tensor(0.31), torch.tensor(0.0)))])
    assert TASK.terminated({"root_states": root}, {}).tolist() == [False, True]


def test_start_states_are_in_their_ranges() -> None:
    start = MujocoEnvironment(TASK, 200, seed=1).state
    assert (start["dof_pos"] >= start["dof_limits_lower"] - 1e-6).all()
    assert (start["dof_pos"] <= start["dof_limits_upper"] + 1e-6).all()
    assert start["dof_vel"].abs().max() <= 0.1 + 1e-6
    torch.testing.assert_close(start["root_states"][:, 2], torch.full((200,), 0.5))
    assert not TASK.terminated(start, {}).any()


def test_fitness_is_distance_over_the_nominal_episode() -> None:
    assert TASK.episode_length_s == pytest.approx(1000 / 60)
    # 0.05 m in a step of 1/60 s are 3 m/s, and 3 / 1000 of the episode's mean speed.
    assert TASK.fitness({}, {"progress": torch.tensor([0.05])}).item() == pytest.approx(0.003)


def test_fitness_adds_up_to_the_distance() -> None:
    environment = MujocoEnvironment(TASK, 1, seed=0)
    generator = torch.Generator().manual_seed(0)
    start, total = environment.state["root_states"][0, 0].item(), 0.0
    for _ in range(50):
        step = environment.step(torch.rand(1, 8, generator=generator) * 2.0 - 1.0)
        assert not step.terminated.any()
        total += step.fitness.item()
    assert total * TASK.episode_length_s == pytest.approx(
        step.state["root_states"][0, 0].item() - start, abs=1e-5
    )


def test_human_reward() -> None:
    reward, components = reward_of(TASK, hand_made())
    expected = {
        "progress": 2.0,
        "alive": 0.5,
        "upright": 0.1,
        "heading": 0.5 * 0.6 / 0.8,
        "action_cost": -0.005 * (1.0**2 + 0.5**2),
        "power_cost": -0.05 * abs(-0.5 * 0.2 * 3.0),
        "limit_cost": -0.1,  # only the first joint, at its upper end
    }
    assert {name: value.item() for name, value in components.items()} == pytest.approx(expected)
    # 2 + 0.5 + 0.1 + 0.375 - 0.00625 - 0.015 - 0.1 = 2.85375
    assert reward.item() == pytest.approx(2.85375)


def test_human_reward_of_a_fallen_ant() -> None:
    fallen = hand_made()
    fallen["root_states"][0, 2] = 0.30
    assert reward_of(TASK, fallen)[0].item() == -2.0

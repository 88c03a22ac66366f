"""The state under Isaac Gym's names, compared with MuJoCo's own numbers."""

from __future__ import annotations

import importlib
from typing import Any

import mujoco
import numpy as np
import pytest
import torch
from torch import Tensor

from eureka_agent.simulation import MujocoEnvironment, PhysicsView
from eureka_agent.tasks import rotations
from eureka_agent.tasks.registry import load_task

TASK: Any = load_task("pen_spinning")
FINGERS = ("ff", "mf", "rf", "lf", "th")
isaac_gym: Any = importlib.import_module("eureka_agent.envs.pen_spinning.isaac_gym")


def moving_hand(seed: int = 0, steps: int = 30) -> Any:
    """Return MuJoCo's data of a hand whose servos pull the fingers anywhere, with all forces up to
    date."""
    data = mujoco.MjData(TASK.model)
    rng = np.random.default_rng(seed)
    low, high = TASK.model.actuator_ctrlrange.T
    data.qpos[:] = TASK.bank.qpos[seed].numpy()
    data.ctrl[:] = rng.uniform(low, high)
    mujoco.mj_step(TASK.model, data, nstep=steps)
    mujoco.mj_forward(TASK.model, data)
    return data


def state_of(data: Any) -> dict[str, Tensor]:
    """Return every variable of one environment, unlisted ones too."""
    fields = (data.qpos, data.qvel, data.ctrl, data.sensordata)
    view = PhysicsView(
        TASK.model, *(torch.tensor(field, dtype=torch.float32)[None] for field in fields)
    )
    episode_state = {"goal_heading": torch.tensor([0.3]), "action": torch.zeros(1, 20)}
    state: dict[str, Tensor] = TASK.state(view, episode_state)
    state["action"] = episode_state["action"]
    for variable in isaac_gym.UNLISTED:
        state[variable.name] = TASK.unlisted_state(variable.name, view, episode_state, state)
    return state


def test_names_and_sizes_are_those_of_isaac_gyms_class() -> None:
    shapes = {v.name: v.shape for v in TASK.reward_inputs.unlisted}
    assert shapes == {
        "actions": (20,),
        "object_pose": (7,),
        "goal_pose": (7,),
        "goal_states": (13,),
        "fingertip_state": (5, 13),
        "vec_sensor_tensor": (30,),
        "dof_force_tensor": (24,),
        "shadow_hand_dof_lower_limits": (24,),
        "shadow_hand_dof_upper_limits": (24,),
        "obs_buf": (107,),
    }


def test_poses_are_the_concatenation_of_their_parts() -> None:
    state = MujocoEnvironment(TASK, 3, seed=0).step(torch.zeros(3, 20)).state
    assert torch.equal(
        state["object_pose"], torch.cat((state["object_pos"], state["object_rot"]), dim=1)
    )
    assert torch.equal(state["goal_pose"], torch.cat((state["goal_pos"], state["goal_rot"]), dim=1))
    assert torch.equal(state["goal_states"][:, :7], state["goal_pose"])
    assert not state["goal_states"][:, 7:].any()
    assert torch.equal(state["fingertip_state"][:, :, :3], state["fingertip_pos"])


def test_fingertips_orientation_and_velocities_are_those_of_the_world_frame() -> None:
    data = moving_hand()
    state = state_of(data)["fingertip_state"][0].double().numpy()
    for row, finger in zip(state, FINGERS, strict=True):
        w, x, y, z = data.body(f"robot0:{finger}distal").xquat
        assert abs(float(row[3:7] @ np.array([x, y, z, w]))) == pytest.approx(1.0, abs=1e-6)
        linear, angular = np.zeros((2, 3, TASK.model.nv))
        mujoco.mj_jacSite(
            TASK.model, data, linear, angular, TASK.model.site(f"robot0:S_{finger}tip").id
        )
        np.testing.assert_allclose(row[7:10], linear @ data.qvel, atol=1e-5)
        np.testing.assert_allclose(row[10:13], angular @ data.qvel, atol=1e-4)


def test_sensor_tensor_is_the_wrench_of_the_contacts_on_each_fingertip() -> None:
    model, touched = TASK.model, 0
    for seed in range(24):
        data = moving_hand(seed)
        readings = state_of(data)["vec_sensor_tensor"].view(5, 6)
        for reading, finger in zip(readings, FINGERS, strict=True):
            body = data.body(f"robot0:{finger}distal")
            expected = np.zeros(6)
            for index, contact in enumerate(data.contact):
                bodies = [model.geom_bodyid[geom] for geom in contact.geom]
                if body.id not in bodies:
                    continue
                touched += 1
                wrench = np.zeros(6)
                mujoco.mj_contactForce(model, data, index, wrench)
                axes = contact.frame.reshape(3, 3)  # the force of the first geom on the second
                sign = 1.0 if bodies[1] == body.id else -1.0
                force, torque = sign * axes.T @ wrench[:3], sign * axes.T @ wrench[3:]
                expected[:3] += force
                expected[3:] += torque + np.cross(contact.pos - body.xpos, force)
            own = body.xmat.reshape(3, 3).T
            expected = np.concatenate((own @ expected[:3], own @ expected[3:]))
            np.testing.assert_allclose(
                reading.numpy(), expected, atol=2e-4 * max(1.0, np.abs(expected).max())
            )
    assert touched > 5


def test_pen_on_a_fingertip_presses_it_down() -> None:
    """A weight on the pad pushes the body along the world's -z."""
    data = mujoco.MjData(TASK.model)
    mujoco.mj_forward(TASK.model, data)
    tip = data.site("robot0:S_mftip").xpos
    data.qpos[24:27] = tip + np.array([0.0, 0.005, 0.0145])  # just above, inside the margin
    data.qpos[27:31] = [np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0]  # the pen lies along the world's x
    for _ in range(20):
        mujoco.mj_step(TASK.model, data)
        data.qvel[:24] = 0.0
    mujoco.mj_forward(TASK.model, data)
    state = state_of(data)
    force = state["vec_sensor_tensor"].view(5, 6)[1, :3]
    orientation = rotations.to_wxyz(state["fingertip_state"][0, 1, 3:7])
    in_world = rotations.rotate(orientation, force)
    assert in_world[2] < 0.0
    assert in_world[2].abs() > in_world[:2].norm()


def test_joint_forces_are_the_servos_torques_also_at_their_limits() -> None:
    saturated = 0
    for seed in range(4):
        data = moving_hand(seed, steps=2)
        torques = state_of(data)["dof_force_tensor"][0].numpy()
        np.testing.assert_allclose(torques, data.qfrc_actuator[:24], atol=1e-5)
        saturated += int(
            (np.abs(data.actuator_force) >= TASK.model.actuator_forcerange[:, 1] - 1e-9).sum()
        )
    assert saturated > 0


def test_servo_that_bends_a_finger_has_a_positive_torque() -> None:
    data = mujoco.MjData(TASK.model)
    joint = list(TASK.state_spec["shadow_hand_dof_pos"].elements).index("FFJ2")
    data.ctrl[list(TASK.action_names).index("FFJ2")] = 0.5
    mujoco.mj_forward(TASK.model, data)
    torques = state_of(data)["dof_force_tensor"][0]
    assert torques[joint].item() == pytest.approx(0.5)  # 1 N m/rad times 0.5 rad
    assert torques.count_nonzero() == 1


def test_joint_ranges_are_the_models() -> None:
    state = state_of(moving_hand())
    lower, upper = (
        state["shadow_hand_dof_lower_limits"][0],
        state["shadow_hand_dof_upper_limits"][0],
    )
    np.testing.assert_allclose(
        torch.stack((lower, upper), dim=1).numpy(), TASK.model.jnt_range[:24], atol=1e-6
    )
    assert (lower < upper).all()

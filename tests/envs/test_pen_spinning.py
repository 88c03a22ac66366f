from __future__ import annotations

import dataclasses
import importlib
import math
from typing import Any

import mujoco
import numpy as np
import pytest
import torch
from torch import Tensor

from eureka_agent.simulation import CpuEngine, EnvironmentRandom, MujocoEnvironment, PhysicsView
from eureka_agent.simulation.physics import EpisodeState, InitialState
from eureka_agent.tasks import rotations
from eureka_agent.tasks.registry import find_task, load_task

TASK: Any = load_task("pen_spinning")
scene: Any = importlib.import_module("eureka_agent.envs.pen_spinning.scene")
waypoints: Any = importlib.import_module("eureka_agent.envs.pen_spinning.waypoints")
DEGREE = math.pi / 180.0


def drawn(n: int) -> InitialState:
    start: InitialState = TASK.initial_state(
        EnvironmentRandom(0, np.arange(n), np.zeros(n, dtype=np.int64))
    )
    return start


def lying(*degrees: float) -> Tensor:
    """Return orientations `(n, 4)` of a pen that lies flat along these headings."""
    down = rotations.from_axis_angle(torch.tensor([0.0, 1.0, 0.0]), torch.tensor(0.5 * math.pi))
    up = torch.tensor([0.0, 0.0, 1.0])
    return rotations.multiply(rotations.from_axis_angle(up, torch.tensor(degrees) * DEGREE), down)


def view_with_pen(quat: Tensor) -> PhysicsView:
    """A view of `n` environments with a pen's orientation; all else is arbitrary."""
    model = TASK.model
    n, sensor = len(quat), model.sensor("object_quaternion")
    sensordata = torch.zeros(n, model.nsensordata)
    sensordata[:, sensor.adr[0] : sensor.adr[0] + 4] = quat
    return PhysicsView(
        model=model,
        qpos=torch.zeros(n, model.nq),
        qvel=torch.zeros(n, model.nv),
        ctrl=torch.full((n, model.nu), 0.25),
        sensordata=sensordata,
    )


def follow(headings: list[float], first_goal: float) -> tuple[list[int], EpisodeState]:
    """Show one environment a pen at these headings (degrees), one per step; return what each step
    counted."""
    axis = waypoints.axis_at(torch.tensor([(first_goal - 30.0) * DEGREE]))
    episode_state: EpisodeState = {
        "goal_heading": torch.tensor([first_goal * DEGREE]),
        "reached": torch.zeros(1, dtype=torch.bool),
        "axis": axis,
    }
    counted = []
    for heading in headings:
        episode_state = TASK.update_episode_state(view_with_pen(lying(heading)), episode_state)
        counted.append(int(TASK.fitness({}, episode_state).item()))
    return counted, episode_state


# ---------------------------------------------------------------------- the scene
def test_scene_has_the_hand_and_the_pen_only() -> None:
    model = TASK.model
    # 24 hand joints and the pen's free joint (7 positions, 6 velocities); 20 servos, 4 joints
    # follow by tendons
    assert (model.nq, model.nv, model.nu) == (24 + 7, 24 + 6, 20)
    assert mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, "target") == -1
    assert model.dof_damping[24:].tolist() == [0.0] * 6
    assert model.opt.integrator == mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    joints = [model.joint(i).name.removeprefix("robot0:") for i in range(24)]
    assert joints == list(scene.HAND_JOINTS)
    servos = [model.actuator(i).name.removeprefix("robot0:A_") for i in range(model.nu)]
    assert servos == list(TASK.action_names)


def test_only_our_sensors_are_left() -> None:
    names = {TASK.model.sensor(i).name for i in range(TASK.model.nsensor)}
    assert len(names) == 4 + 2 + 5 * 4 + 5 + 5  # pen, palm, fingertips, touches, contacts
    assert not any(name.startswith("robot0:ST_") or "Sjp" in name for name in names)


def test_control_is_25_hz_for_ten_seconds() -> None:
    assert TASK.dt == pytest.approx(0.04)
    assert TASK.episode_length_s == pytest.approx(10.0)


# ---------------------------------------------------------------------- starts
def test_bank_is_deterministic() -> None:
    first, second = (scene.settled_starts(TASK.model, 24, seed=3) for _ in range(2))
    assert torch.equal(first.qpos, second.qpos)
    assert torch.equal(first.ctrl, second.ctrl)
    other = scene.settled_starts(TASK.model, 24, seed=4)
    assert other.qpos.shape != first.qpos.shape or not torch.equal(other.qpos, first.qpos)


def test_every_start_has_the_pen_at_rest_in_the_hand() -> None:
    bank = TASK.bank
    assert len(bank.qpos) >= 128  # at least half of the 256 draws
    assert bank.share_kept == pytest.approx(len(bank.qpos) / 256)
    pen = bank.qpos[:, 24:27]
    assert (pen - torch.tensor(scene.HAND_CENTRE)).norm(dim=1).max() < 0.08
    assert pen[:, 2].min() > 0.12
    assert bank.qvel[:, 24:].abs().max() < 1.0
    axis = rotations.rotate(bank.qpos[:, 27:31], torch.tensor([0.0, 0.0, 1.0]))
    assert axis[:, 2].abs().max() < 0.5  # flat enough to have a heading


def test_pen_stays_when_the_hand_does_not_move() -> None:
    start = drawn(16)
    assert start.ctrl is not None
    engine = CpuEngine(TASK.model, 16)
    engine.reset(torch.arange(16), start)
    episode_state = {**start.episode_state, "action": torch.zeros(16, 20)}
    view = engine.step(start.ctrl, 25 * TASK.frame_skip)  # 1 s
    episode_state = {
        **TASK.update_episode_state(view, episode_state),
        "action": episode_state["action"],
    }
    assert not TASK.terminated(TASK.state(view, episode_state), episode_state).any()


def test_initial_state_is_from_the_bank_with_the_goal_30_degrees_ahead() -> None:
    start = drawn(8)
    assert all((TASK.bank.qpos == row).all(dim=1).any() for row in start.qpos)
    axis, goal = start.episode_state["axis"], waypoints.axis_at(start.episode_state["goal_heading"])
    turned = waypoints.turns(axis, goal)
    torch.testing.assert_close(turned, torch.full((8,), 30.0 / 360.0))
    assert not waypoints.is_reached(axis, goal).any()


# ---------------------------------------------------------------------- waypoints
def test_pen_that_turns_in_steps_of_30_degrees_reaches_a_waypoint_with_each() -> None:
    counted, episode_state = follow([30.0, 60.0, 90.0, 120.0], first_goal=30.0)
    assert counted == [1, 1, 1, 1]
    assert episode_state["goal_heading"].item() == pytest.approx(120.0 * DEGREE)


def test_waypoints_continue_beyond_half_a_turn_and_a_full_turn() -> None:
    # 170 -> 200 = -160, and 350 -> 380 = 20: the heading wraps, the goal does not
    counted, _ = follow([170.0, -160.0, -130.0], first_goal=170.0)
    assert counted == [1, 1, 1]
    counted, _ = follow([350.0, 20.0], first_goal=350.0)
    assert counted == [1, 1]


def test_tolerance_is_a_fifth_of_a_radian() -> None:
    # 0.2 rad = 11.46 degrees
    assert follow([30.0 - 11.4], first_goal=30.0)[0] == [1]
    assert follow([30.0 - 11.5], first_goal=30.0)[0] == [0]
    assert follow([30.0 + 11.4], first_goal=30.0)[0] == [1]


def test_skipped_waypoint_still_has_to_be_reached() -> None:
    # 60 degrees at once: past the goal at 30, which stays until the pen comes back to it
    assert follow([60.0, 60.0, 30.0, 60.0], first_goal=30.0)[0] == [0, 0, 1, 1]


def test_wiggling_and_turning_backwards_earn_no_waypoint_twice() -> None:
    # back and forth over the goal at 30: counted once, the next goal is at 60
    assert follow([30.0, 10.0, 30.0, 10.0, 30.0], first_goal=30.0)[0] == [1, 0, 0, 0, 0]
    # backwards: 30 is reached first after 330 degrees in the wrong direction
    assert sum(follow([-30.0 * i for i in range(1, 11)], first_goal=30.0)[0]) == 0


def test_upright_pen_reaches_no_waypoint() -> None:
    up = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    axis = rotations.rotate(up, torch.tensor([0.0, 0.0, 1.0]))
    assert not waypoints.is_reached(axis, waypoints.axis_at(torch.tensor([0.0]))).any()


def test_goal_advances_in_the_step_after_it_was_reached() -> None:
    _, episode_state = follow([30.0], first_goal=30.0)
    # A reward still sees it reached.
    assert episode_state["goal_heading"].item() == pytest.approx(30.0 * DEGREE)
    _, episode_state = follow([30.0, 30.0], first_goal=30.0)
    assert episode_state["goal_heading"].item() == pytest.approx(60.0 * DEGREE)


def test_turns_are_signed_wrap_and_need_a_level_pen() -> None:
    def axis(heading: float, elevation: float = 0.0) -> Tensor:
        flat = math.cos(elevation * DEGREE)
        h = heading * DEGREE
        return torch.tensor(
            [[flat * math.cos(h), flat * math.sin(h), math.sin(elevation * DEGREE)]]
        )

    assert waypoints.turns(axis(10), axis(100)).item() == pytest.approx(0.25)
    assert waypoints.turns(axis(10), axis(-26)).item() == pytest.approx(-0.1)
    assert waypoints.turns(axis(170), axis(-154)).item() == pytest.approx(0.1)  # through 180
    assert waypoints.turns(axis(0, 50), axis(36, -50)).item() == pytest.approx(0.1)
    assert waypoints.turns(axis(0, 0), axis(36, 65)).item() == 0.0
    assert waypoints.turns(axis(0, 65), axis(36, 0)).item() == 0.0


@pytest.mark.parametrize("turn", [0.0, 40.0, -120.0, 180.0])
def test_angle_to_the_goal_orientation_is_that_of_the_axes_for_any_roll(turn: float) -> None:
    roll = rotations.from_axis_angle(torch.tensor([0.0, 0.0, 1.0]), torch.tensor(1.3))
    quat = rotations.multiply(lying(20.0), roll)
    z = torch.tensor([0.0, 0.0, 1.0])
    goal = waypoints.axis_at(torch.tensor([(20.0 + turn) * DEGREE]))
    wanted = waypoints.nearest_orientation(quat, rotations.rotate(quat, z), goal)
    torch.testing.assert_close(rotations.rotate(wanted, z), goal, atol=1e-5, rtol=0)
    angle = rotations.rotation_angle(quat, wanted)
    torch.testing.assert_close(angle, torch.tensor([abs(turn) * DEGREE]), atol=1e-3, rtol=0)


# ---------------------------------------------------------------------- episodes
def test_targets_are_a_moving_average() -> None:
    low, high = (
        torch.as_tensor(bound, dtype=torch.float32) for bound in TASK.model.actuator_ctrlrange.T
    )
    old = torch.zeros(1, 20)
    # towards the upper ends: 0.3 high + 0.7 * 0, then 0.3 high + 0.7 * 0.3 high = 0.51 high
    first = TASK.control(torch.ones(1, 20), {"target": old})
    torch.testing.assert_close(first[0], 0.3 * high)
    second = TASK.control(torch.ones(1, 20), {"target": first})
    torch.testing.assert_close(second[0], 0.51 * high)
    third = TASK.control(-torch.ones(1, 20), {"target": old})
    torch.testing.assert_close(third[0], 0.3 * low)


def test_remembered_target_is_the_applied_one() -> None:
    _, episode_state = follow([0.0], first_goal=30.0)
    assert episode_state["target"].tolist() == [[0.25] * 20]


@pytest.mark.parametrize(
    ("offset", "dropped"),
    [
        ((0.0, 0.0, 0.0), False),
        ((0.11, 0.0, 0.0), False),
        ((0.13, 0.0, 0.0), True),  # farther than 12 cm
        ((0.0, -0.08, 0.0), False),
        ((0.0, 0.0, -0.065), False),
        ((0.0, 0.0, -0.075), True),  # 0.17 - 0.075 = 0.095 m is below 10 cm
    ],
)
def test_dropped_pen_ends_the_episode(offset: tuple[float, ...], dropped: bool) -> None:
    centre = torch.tensor([scene.HAND_CENTRE])
    state = {"object_pos": centre + torch.tensor([offset]), "goal_pos": centre}
    assert TASK.terminated(state, {}).tolist() == [dropped]


def test_pen_thrown_out_of_the_hand_ends_its_episode_in_the_simulation() -> None:
    task = type(TASK)()
    thrown = TASK.bank.qvel.clone()
    thrown[:, [24, 26]] = 1.5  # m/s sideways and up: 12 cm sideways take 0.08 s
    task.bank = dataclasses.replace(TASK.bank, qvel=thrown)
    environment = MujocoEnvironment(task, 4, seed=0)
    ended = []
    for _ in range(12):
        finished = environment.step(torch.zeros(4, 20)).finished
        ended += finished.env_ids.tolist()
        assert (finished.measures["dropped"] == 1.0).all()
        assert (finished.length < 12).all()
    assert set(ended) == {0, 1, 2, 3}


def test_state_has_its_shapes_and_stays_finite_under_random_actions() -> None:
    environment = MujocoEnvironment(TASK, 16, seed=1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(40):
        step = environment.step(torch.rand(16, 20, generator=generator) * 2.0 - 1.0)
        assert not step.bad.any()
    assert step.observation.shape == (16, 107)
    assert set(step.state) == {variable.name for variable in TASK.reward_inputs.tensors}
    for variable in TASK.reward_inputs.tensors:
        value = step.state[variable.name]
        assert value.shape == (16, *variable.shape), variable.name
        assert value.dtype == torch.float32, variable.name
        assert torch.isfinite(value).all(), variable.name


def test_state_agrees_with_itself_and_with_the_physics() -> None:
    environment = MujocoEnvironment(TASK, 8, seed=2)
    for _ in range(5):
        state = environment.step(torch.zeros(8, 20)).state
    z = torch.tensor([0.0, 0.0, 1.0])
    axis = rotations.rotate(rotations.to_wxyz(state["object_rot"]), z)
    torch.testing.assert_close(axis, state["object_axis"])
    goal = rotations.rotate(rotations.to_wxyz(state["goal_rot"]), z)
    torch.testing.assert_close(goal, state["goal_axis"], atol=1e-5, rtol=0)
    # the palm's y points out of its back, which is down: the pen lies on the other side, within 8
    # cm
    assert (state["palm_to_object"][:, 1] < 0).all()
    assert (state["palm_to_object"].norm(dim=1) < 0.08).all()
    tips = state["fingertip_pos"] - state["object_pos"][:, None]
    assert (tips.norm(dim=-1) < 0.2).all()


# ---------------------------------------------------------------------- rewards and names
def human_reward() -> Any:
    namespace: dict[str, Any] = {}
    exec(TASK.human_reward, namespace)
    return namespace["compute_reward"]


def test_human_reward_by_hand() -> None:
    quat = rotations.to_xyzw(lying(0.0, 0.0, 0.0))
    goal = rotations.to_xyzw(lying(30.0, 0.0, 30.0))
    centre = torch.tensor([scene.HAND_CENTRE]).expand(3, 3)
    position = centre + torch.tensor([[0.0, 0.0, -0.02], [0.0, 0.0, 0.0], [0.2, 0.0, 0.0]])
    actions = torch.full((3, 20), 0.5)
    total, parts = human_reward()(position, quat, centre, goal, actions)
    # 30 degrees away and 2 cm low; at the goal; 30 degrees away and dropped
    away = 1.0 / (math.pi / 6 + 0.1)
    torch.testing.assert_close(
        parts["rotation"], torch.tensor([away, 10.0, away]), atol=0.0, rtol=0.01
    )
    torch.testing.assert_close(
        parts["distance"], torch.tensor([-0.2, 0.0, -2.0]), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(parts["action"], torch.full((3,), -0.0002 * 20 * 0.25))
    assert parts["reached"].tolist() == [0.0, 250.0, 0.0]
    assert parts["fall"].tolist() == [0.0, 0.0, -50.0]
    torch.testing.assert_close(total, sum(parts.values(), torch.zeros(3)))


def test_human_reward_has_its_bonus_exactly_when_the_fitness_counts() -> None:
    for heading in (17.0, 19.0, 30.0, 41.0, 43.0):
        counted, episode_state = follow([heading], first_goal=30.0)
        quat = lying(heading)
        goal = waypoints.nearest_orientation(
            quat, episode_state["axis"], waypoints.axis_at(episode_state["goal_heading"])
        )
        centre = torch.tensor([scene.HAND_CENTRE])
        _, parts = human_reward()(
            centre, rotations.to_xyzw(quat), centre, rotations.to_xyzw(goal), torch.zeros(1, 20)
        )
        assert (parts["reached"].item() > 0) == bool(counted[0]), heading


@pytest.mark.parametrize(
    "words", ["pen_spinning", "pen spinning", "ShadowHandSpin", "spin the pen"]
)
def test_task_is_found_by_its_names(words: str) -> None:
    assert find_task(words) is TASK

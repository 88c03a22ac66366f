"""The sensors of a robot's file: units and frames by type, and what the policy sees of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from eureka_agent.authoring import new_task
from eureka_agent.simulation import MujocoTask
from eureka_agent.tasks.loading import load_file

DRONE = """<mujoco>
  <worldbody>
    <geom type="plane" size="9 9 .1"/>
    <body name="frame" pos="0 0 1">
      <freejoint/>
      <geom type="box" size=".1 .1 .02"/>
      <site name="imu"/>
      <body name="arm"><joint name="swing" axis="0 1 0"/><geom size=".03" pos="0 0 -.2"/></body>
    </body>
  </worldbody>
  <actuator>
    <motor name="thrust" site="imu" gear="0 0 1 0 0 0" ctrlrange="0 30"/>
  </actuator>
  <sensor>
    <gyro name="rates" site="imu"/>
    <accelerometer name="acc" site="imu"/>
    <framepos name="place" objtype="site" objname="imu"/>
    <rangefinder name="altitude" site="imu"/>
    <actuatorfrc name="force" actuator="thrust"/>
    <jointpos name="angle" joint="swing"/>
    <clock/>
  </sensor>
</mujoco>
"""


@pytest.fixture
def drone(tmp_path: Path) -> MujocoTask:
    (tmp_path / "model.xml").write_text(DRONE, encoding="utf-8")
    task = load_file(new_task("robot", tmp_path / "model.xml", path=tmp_path).folder)
    assert isinstance(task, MujocoTask)
    return task


@pytest.mark.parametrize(
    ("name", "shape", "unit", "frame", "kind"),
    [
        ("rates", (3,), "rad/s", "the site imu", "angular_velocity"),
        ("acc", (3,), "m/s^2", "the site imu", "other"),
        ("place", (3,), "m", "world", "position"),
        ("altitude", (), "m", "-", "distance"),
        ("force", (), "N or N m", "-", "force"),
        ("clock_sensor", (), "-", "-", "other"),
    ],
)
def test_sensor_becomes_state_with_the_unit_and_frame_of_its_type(
    drone: MujocoTask, name: str, shape: tuple[int, ...], unit: str, frame: str, kind: str
) -> None:
    variable = drone.state_spec[name]
    found = (variable.shape, variable.unit, variable.frame, variable.kind)
    assert found == (shape, unit, frame, kind)


def test_sensor_that_repeats_a_joint_is_left_out(drone: MujocoTask) -> None:
    assert "angle" not in drone.state_spec.shapes


def test_policy_of_a_floating_robot_sees_no_place(drone: MujocoTask) -> None:
    env = drone.make_env(2, seed=0)
    state = dict(env.state)
    moved = {
        name: state[name] + torch.tensor([5.0, 3.0, 0.0]) for name in ("place", "frame_position")
    }
    assert torch.equal(drone.observation({**state, **moved}, {}), env.observation)
    turned = {"rates": state["rates"] + 1.0}
    assert not torch.equal(drone.observation({**state, **turned}, {}), env.observation)

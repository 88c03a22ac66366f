import subprocess
import sys
from typing import Literal

import mujoco
import numpy as np
import pytest
import torch

from eureka_agent.errors import SimulationError
from eureka_agent.tasks.mjcf import (
    add_contact_sensor,
    add_frame_sensors,
    add_touch_sensor,
    contact_wrench,
    load_package_xml,
)

BALL = """
<mujoco>
  <worldbody>
    <geom type="plane" size="1 1 .1"/>
    <body name="ball" pos="0 0 .1"><freejoint/><geom type="sphere" size=".1" mass="2"/></body>
  </worldbody>
</mujoco>
"""


def test_frame_sensors_read_the_body_in_the_world_frame() -> None:
    spec = mujoco.MjSpec.from_string(BALL)
    add_frame_sensors(spec, "ball")
    model = spec.compile()
    data = mujoco.MjData(model)
    data.qpos[:] = [1, 2, 3, np.sqrt(0.5), 0, 0, np.sqrt(0.5)]  # a quarter turn about z
    data.qvel[:] = [4, 5, 6, 7, 8, 9]  # a free joint's angular velocity is in the body's frame
    mujoco.mj_forward(model, data)
    read = {
        name: data.sensor(f"ball_{name}").data
        for name in ("position", "quaternion", "linear_velocity")
    }
    np.testing.assert_allclose(read["position"], [1, 2, 3])
    np.testing.assert_allclose(read["quaternion"], [np.sqrt(0.5), 0, 0, np.sqrt(0.5)])
    np.testing.assert_allclose(read["linear_velocity"], [4, 5, 6])
    # The turn takes x to y and y to -x.
    np.testing.assert_allclose(data.sensor("ball_angular_velocity").data, [-8, 7, 9], atol=1e-12)


def test_touch_sensor_weighs_a_resting_ball() -> None:
    spec = mujoco.MjSpec.from_string(BALL)
    add_touch_sensor(spec, "touch", "ball", radius=0.15)
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, nstep=1000)
    assert data.sensor("touch").data[0] == pytest.approx(2 * 9.81, rel=1e-3)  # its weight


@pytest.mark.parametrize("kind", ["body", "geom"])
def test_contact_sensor_gives_the_force_of_the_floor_in_the_balls_own_frame(
    kind: Literal["body", "geom"],
) -> None:
    spec = mujoco.MjSpec.from_string(BALL.replace('type="sphere"', 'name="ball" type="sphere"'))
    add_contact_sensor(spec, "contact", "ball", kind)
    model = spec.compile()
    data = mujoco.MjData(model)
    data.qpos[3:7] = [
        np.sqrt(0.5),
        np.sqrt(0.5),
        0,
        0,
    ]  # a quarter turn about x: the world's z is its own y
    mujoco.mj_step(model, data, nstep=1000)
    reading, quat = (
        torch.tensor(data.sensor("contact").data),
        torch.tensor(data.body("ball").xquat),
    )
    weight = 2 * 9.81
    centre = torch.tensor(data.body("ball").xpos)
    torch.testing.assert_close(
        contact_wrench(reading, centre, quat),
        torch.tensor([0, weight, 0, 0, 0, 0]).double(),
        rtol=0,
        atol=0.02,
    )
    # About a point 0.5 m from it along the world's -x, the upward force has a torque about the
    # world's -y, which is the ball's own z.
    left = contact_wrench(reading, centre - torch.tensor([0.5, 0.0, 0.0]), quat)
    torch.testing.assert_close(
        left[3:], torch.tensor([0, 0, 0.5 * weight]).double(), rtol=0, atol=0.02
    )


def test_package_models_load_without_importing_the_package() -> None:
    program = (
        "import sys; from eureka_agent.tasks.mjcf import load_package_xml;"
        "assert load_package_xml('gymnasium', 'envs/mujoco/assets/ant.xml').compile().nu == 8;"
        "assert 'gymnasium' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_missing_package_or_file_is_named() -> None:
    with pytest.raises(SimulationError, match="'no_such_package', which is not installed"):
        load_package_xml("no_such_package", "x.xml")
    with pytest.raises(SimulationError, match=r"Cannot read the model .*no_such\.xml"):
        load_package_xml("gymnasium", "no_such.xml")

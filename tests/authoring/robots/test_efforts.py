"""Control ranges: those of the file, estimates, and position servos that hold the start."""

from __future__ import annotations

from pathlib import Path

import mujoco
import pytest
import torch

from eureka_agent.authoring import new_task
from eureka_agent.authoring.robots.anatomy import anatomy_of
from eureka_agent.authoring.robots.efforts import control_ranges, estimated_effort
from eureka_agent.simulation import MujocoTask
from eureka_agent.tasks.loading import load_file
from tests.support.robots import ARM, leg_urdf

POLE = """<mujoco>
  <compiler angle="radian"/>
  <worldbody><body>
    <joint name="hinge" axis="0 1 0" range="-1 2" limited="true" ref="{start}"/>
    <geom type="capsule" fromto="0 0 0 0 0 1" size=".05" mass="2"/>
  </body></worldbody>
  <actuator>{actuator}</actuator>
</mujoco>
"""


def ranges(actuator: str, start: float = 0.0) -> tuple[float, float, float, bool]:
    model = mujoco.MjModel.from_xml_string(POLE.format(actuator=actuator, start=start))
    (found,) = control_ranges(model, anatomy_of(model))
    return found.low, found.start, found.high, found.is_estimate


@pytest.mark.parametrize(
    ("actuator", "expected"),
    [
        ('<motor joint="hinge" ctrlrange="-3 5"/>', (-3.0, 1.0, 5.0, False)),
        ('<motor joint="hinge" forcerange="-8 8" gear="2"/>', (-8.0, 0.0, 8.0, True)),
        ('<position joint="hinge" kp="9"/>', (-1.0, 0.0, 2.0, True)),
        ('<position joint="hinge" kp="9" ctrlrange="-1 2"/>', (-1.0, 0.0, 2.0, False)),
        ('<velocity joint="hinge" kv="9"/>', (-10.0, 0.0, 10.0, True)),
        ('<muscle joint="hinge"/>', (0.0, 0.5, 1.0, True)),
    ],
)
def test_range_of_an_actuator(actuator: str, expected: tuple[float, float, float, bool]) -> None:
    assert ranges(actuator) == expected


def test_estimate_lifts_the_stretched_pole_with_reserve() -> None:
    low, _, high, is_estimate = ranges('<motor joint="hinge"/>')
    assert is_estimate
    assert high == -low == pytest.approx(1.5 * 9.81 * 2.0 * 0.5, rel=0.05)


def test_position_servo_holds_the_initial_pose_without_action(tmp_path: Path) -> None:
    text = POLE.format(actuator='<position joint="hinge" kp="900" ctrlrange="-1 2"/>', start=0.7)
    (tmp_path / "model.xml").write_text(text, encoding="utf-8")
    task = load_file(new_task("robot", tmp_path / "model.xml", path=tmp_path).folder)
    assert isinstance(task, MujocoTask)
    actions = torch.tensor([[-1.0], [0.0], [1.0], [0.5]])
    control = task.control(actions, {})
    assert control[:, 0].tolist() == pytest.approx([-1.0, 0.7, 2.0, 1.35])


def test_controls_of_the_keyframe_are_those_of_no_action() -> None:
    text = POLE.format(actuator='<motor joint="hinge" ctrlrange="0 8"/>', start=0)
    keyframe = '<keyframe><key name="hover" qpos="0" ctrl="3"/></keyframe></mujoco>'
    model = mujoco.MjModel.from_xml_string(text.replace("</mujoco>", keyframe))
    (found,) = control_ranges(model, anatomy_of(model))
    assert (found.low, found.start, found.high) == (0.0, 3.0, 8.0)


def test_missing_range_is_said_and_written_into_the_task(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text(ARM, encoding="utf-8")
    written = new_task("robot", tmp_path / "model.xml", path=tmp_path)
    assert "no ctrlrange for elbow: CONTROLS in task.py has estimates." in " ".join(written.said)
    code = (written.folder / "task.py").read_text(encoding="utf-8")
    assert "# elbow, an estimate" in code
    assert "# shoulder\n" in code


def test_urdf_without_an_effort_limit_gets_an_estimate(tmp_path: Path) -> None:
    (tmp_path / "model.urdf").write_text(leg_urdf(effort=0.0), encoding="utf-8")
    written = new_task("robot", tmp_path / "model.urdf", path=tmp_path)
    assert "no effort limit for hip: the motors' ranges are estimates" in " ".join(written.said)
    task = load_file(written.folder)
    assert isinstance(task, MujocoTask)
    model = task.model
    effort = estimated_effort(model, anatomy_of(model), 0)
    # the thigh of 1 kg turns about its own centre; the foot of 0.1 kg hangs 0.15 m below it
    assert effort == pytest.approx(1.5 * 9.81 * 0.1 * 0.15, rel=0.05)
    assert model.actuator_ctrlrange[0, 1] == pytest.approx(effort)

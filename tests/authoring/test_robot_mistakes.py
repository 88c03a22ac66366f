"""Mistakes in a robot's file, and in what `new_task` is asked for: one sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_agent.authoring import new_task
from eureka_agent.errors import RobotFileError, UsageError
from tests.support.robots import ARM, leg_urdf

BODY = '<mujoco><worldbody><body><geom size=".1"/>{}</body></worldbody></mujoco>'
MESH = '<mujoco><compiler meshdir="m"/><asset><mesh name="y" file="x/y.stl"/></asset></mujoco>'


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("no.xml", None, "There is no file"),
        ("a.xml", "", "a.xml:1: it is not well-formed XML"),
        ("a.xml", "<html/>", "must be <mujoco> or <robot>, but it is <html>"),
        (
            "a.xml",
            "<mujoco>\n<worldbody>\n<body></worldbody></mujoco>",
            r"a.xml:3: it is not well-formed XML \(mismatched element\)",
        ),
        ("a.xml", "<mujoco>\n<boddy/></mujoco>", "a.xml:2: MuJoCo cannot read the robot"),
        ("a.xml", BODY.format(""), "has no joints, so nothing in it can move"),
        (
            "a.xml",
            BODY.format('<joint name="knee"/>'),
            '<motor joint="knee" ctrlrange="-20 20"/>',
        ),
        (
            "a.xml",
            MESH,
            "needs files that are missing: x/y.stl. The first was looked for in .*/m/x",
        ),
        ("a.xml", '<mujoco><include file="b.xml"/></mujoco>', "Error opening file 'b.xml'"),
        (
            "a.xml",
            '<mujoco><worldbody><body><joint name="j"/></body></worldbody></mujoco>',
            "a body that moves has no mass: give it one",
        ),
        ("a.usd", "x", "must end in .xml or .urdf.*Convert it to MJCF or URDF first"),
        ("a.xacro", "<robot/>", "xacro robot.urdf.xacro > robot.urdf"),
        (
            "a.urdf",
            leg_urdf(shape='<mesh filename="package://bot/meshes/a.stl"/>'),
            "package://bot/meshes/a.stl.*/bot/meshes.*into the folder bot, as in its ROS package",
        ),
        ("a.urdf", '<robot name="x"><link name="a"/></robot>', "has no joints"),
        (
            "a.urdf",
            leg_urdf().replace('child link="thigh"', 'child link="nowhere"'),
            "parent or child missing",
        ),
    ],
)
def test_mistake_in_the_file_is_one_sentence(
    tmp_path: Path, file: str, text: str | None, says: str
) -> None:
    if text is not None:
        (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(RobotFileError, match=says) as caught:
        new_task("robot", tmp_path / file, path=tmp_path)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_mesh_in_a_format_that_mujoco_does_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.dae").write_text("x", encoding="utf-8")
    model = tmp_path / "a.urdf"
    model.write_text(leg_urdf(shape='<mesh filename="a.dae"/>'), encoding="utf-8")
    with pytest.raises(RobotFileError, match=r"a\.dae, but MuJoCo reads only \.stl, \.obj, \.msh"):
        new_task("robot", model, path=tmp_path)


@pytest.mark.parametrize("name", ["my-robot", "2x", "class", "", "a/b", "..", "ä"])
def test_name_that_is_no_python_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="A task's name has ASCII letters"):
        new_task(name, tmp_path / "a.xml", path=tmp_path)


def test_existing_folder_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text(ARM, encoding="utf-8")
    (tmp_path / "robot").mkdir()
    (tmp_path / "robot" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="never writes over anything"):
        new_task("robot", tmp_path / "model.xml", path=tmp_path)
    assert [path.name for path in (tmp_path / "robot").iterdir()] == ["mine.txt"]


def test_robot_that_cannot_be_simulated_is_refused(tmp_path: Path) -> None:
    keyframe = '<keyframe><key qpos="1e39 0"/></keyframe></mujoco>'
    (tmp_path / "model.xml").write_text(ARM.replace("</mujoco>", keyframe), encoding="utf-8")
    with pytest.raises(RobotFileError, match=r"a task made of it does not run: task\.py:"):
        new_task("robot", tmp_path / "model.xml", path=tmp_path)
    assert not (tmp_path / "robot").exists()


def test_floating_base_is_refused_for_mjcf(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text(ARM, encoding="utf-8")
    with pytest.raises(UsageError, match="write <freejoint/> into the robot's body"):
        new_task("robot", tmp_path / "model.xml", path=tmp_path, floating_base=True)

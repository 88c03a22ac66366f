"""`new_task`: the folder it writes for robots of all kinds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import mujoco
import pytest
import torch
from PIL import Image

from eureka_agent.authoring import new_task
from eureka_agent.simulation import MujocoTask, check_task
from eureka_agent.tasks.loading import load_file
from tests.support.robots import ARM, GYMNASIUM, ROBOTICS, leg_urdf, package_model


def made(folder: Path, model: Path, *, floating_base: bool = False) -> MujocoTask:
    """Write a task into `folder`, and load it from there."""
    written = new_task("robot", model, path=folder, floating_base=floating_base)
    task = load_file(written.folder)
    assert isinstance(task, MujocoTask)
    return task


def from_text(folder: Path, text: str, *, floating_base: bool = False) -> MujocoTask:
    model = folder / ("model.urdf" if text.startswith("<robot") else "model.xml")
    model.write_text(text, encoding="utf-8")
    return made(folder, model, floating_base=floating_base)


def names(task: MujocoTask) -> set[str]:
    return {variable.name for variable in task.state_spec.variables}


@pytest.mark.parametrize(
    ("path", "description"),
    [
        (f"{GYMNASIUM}/ant.xml", "move the torso forward, along x, as fast as possible"),
        (f"{GYMNASIUM}/hopper.xml", "move the torso forward, along x, as fast as possible"),
        (f"{GYMNASIUM}/swimmer.xml", "move the torso forward, along x, as fast as possible"),
        (f"{GYMNASIUM}/humanoid.xml", "move the torso forward, along x, as fast as possible"),
        (f"{GYMNASIUM}/reacher.xml", "bring the fingertip to the goal and keep it there"),
        (f"{GYMNASIUM}/inverted_double_pendulum.xml", "keep the tip above 1.08 m"),
        (
            f"{ROBOTICS}/adroit_hand/adroit_pen.xml",
            "bring the s fftip to the goal and keep it there",
        ),
    ],
    ids=lambda text: Path(text).stem,
)
def test_new_task_runs_and_is_formatted_for_each_kind_of_robot(
    tmp_path: Path, path: str, description: str
) -> None:
    task = made(tmp_path, package_model(path))
    assert task.description == description
    check_task(task)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_walking_robot_is_described_by_its_base_joints_and_feet(tmp_path: Path) -> None:
    task = made(tmp_path, package_model(f"{GYMNASIUM}/ant.xml"))
    assert names(task) >= {
        "torso_position",
        "torso_quaternion",
        "torso_velocity",
        "torso_angular_velocity",
        "torso_contact_force",
        "joint_positions",
        "joint_velocities",
        "limb_position",
        "limb_4_contact_force",
    }
    assert task.state_spec["joint_positions"].elements[:2] == ("hip_1", "ankle_1")
    assert task.state_spec["joint_positions"].unit == "rad"
    env = task.make_env(2, seed=0)
    # height, quaternion, two velocities, eight joints twice: not x and y
    assert env.observation_size == 1 + 4 + 3 + 3 + 8 + 8
    assert torch.equal(env.observation[:, :1], env.state["torso_position"][:, 2:])
    causes = task.end_causes({**env.state, "torso_position": torch.full((2, 3), 0.3)})
    assert causes["the base below 0.375 m"].all()


def test_joint_positions_are_those_of_the_named_joints(tmp_path: Path) -> None:
    task = made(tmp_path, package_model(f"{GYMNASIUM}/ant.xml"))
    env = task.make_env(2, seed=0)
    state = env.step(torch.rand(2, 8, generator=torch.Generator().manual_seed(0))).state
    data = mujoco.MjData(task.model)
    data.qpos[:] = env.configuration[0].double().numpy()[: task.model.nq]
    for index, name in enumerate(task.state_spec["joint_positions"].elements):
        expected = float(data.joint(name).qpos[0])
        assert float(state["joint_positions"][0, index]) == pytest.approx(expected, abs=1e-6)


def test_fixed_arm_gets_goals_that_its_tool_can_reach(tmp_path: Path) -> None:
    task = from_text(tmp_path, ARM)
    assert task.state_spec["goal_position"].goal_for == "grip_position"
    env = task.make_env(64, seed=0)
    goals = env.state["goal_position"]
    assert len({tuple(goal) for goal in goals.tolist()}) > 8
    distance = (goals - torch.tensor([0.0, 0.0, 0.0])).norm(dim=1)
    assert (distance <= 0.701).all()  # 0.4 m and 0.3 m long
    fitness = task.fitness({**env.state, "grip_position": goals}, {})
    assert torch.allclose(fitness, torch.full((64,), 1.0 / task.max_episode_steps))


def test_folder_is_whole_and_can_be_moved(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(package_model(f"{ROBOTICS}/adroit_hand"), source)
    made(tmp_path / "here", source / "adroit_pen.xml")
    shutil.rmtree(source)
    shutil.move(tmp_path / "here" / "robot", tmp_path / "there")
    assert any((tmp_path / "there" / "assets").iterdir())
    check_task(load_file(tmp_path / "there"))


def test_copy_of_the_model_has_the_same_physics(tmp_path: Path) -> None:
    model = package_model(f"{ROBOTICS}/adroit_hand/adroit_door.xml")
    copy = made(tmp_path, model).model
    original = mujoco.MjModel.from_xml_path(str(model))
    assert copy.nq == original.nq
    assert copy.body_mass == pytest.approx(original.body_mass)
    assert copy.dof_damping == pytest.approx(original.dof_damping)
    assert copy.actuator_gainprm == pytest.approx(original.actuator_gainprm)
    assert copy.geom_pos == pytest.approx(original.geom_pos, abs=1e-6)


def test_meshes_of_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    source = package_model(f"{ROBOTICS}/adroit_hand/resources/meshes/palm.stl").read_bytes()
    other = package_model(f"{ROBOTICS}/adroit_hand/resources/meshes/wrist.stl").read_bytes()
    for folder, data in (("visual", source), ("collision", other)):
        (tmp_path / "bot" / folder).mkdir(parents=True)
        (tmp_path / "bot" / folder / "link.stl").write_bytes(data)
    meshes = "".join(
        f'<collision><geometry><mesh filename="package://bot/{folder}/link.stl"/></geometry>'
        "</collision>"
        for folder in ("visual", "collision")
    )
    text = leg_urdf().replace('<link name="foot">', f'<link name="foot">{meshes}')
    (tmp_path / "bot" / "urdf").mkdir()
    (tmp_path / "bot" / "urdf" / "bot.urdf").write_text(text, encoding="utf-8")
    made(tmp_path, tmp_path / "bot" / "urdf" / "bot.urdf")
    copies = {path.read_bytes() for path in (tmp_path / "robot" / "assets").iterdir()}
    assert copies == {source, other}


def test_names_that_the_model_uses_already_are_not_used_again(tmp_path: Path) -> None:
    text = ARM.replace('<site name="grip" pos="0 0 .3"/>', "").replace(
        '<body name="upper">', '<site name="lower_tip"/><body name="upper">'
    )
    sensor = '<sensor><jointpos name="lower_position" joint="elbow"/></sensor></mujoco>'
    task = from_text(tmp_path, text.replace("</mujoco>", sensor))
    assert "lower_2_position" in names(task)
    assert task.model.site("lower_tip_2").bodyid == task.model.body("lower").id


def test_textures_and_height_fields_are_copied(tmp_path: Path) -> None:
    for name in ("up.png", "down.png", "hills.png"):
        Image.new("L", (4, 4)).save(tmp_path / name)
    assets = (
        '<asset><texture name="t" type="cube" fileup="up.png" filedown="down.png"/>'
        '<hfield name="h" file="hills.png" size="1 1 .1 .1"/></asset><worldbody>'
    )
    from_text(tmp_path, ARM.replace("<worldbody>", assets))
    copies = {path.name for path in (tmp_path / "robot" / "assets").iterdir()}
    assert copies == {"up.png", "down.png", "hills.png"}


def test_urdf_gets_a_motor_of_its_effort_limit_for_each_joint(tmp_path: Path) -> None:
    task = from_text(tmp_path, leg_urdf(effort=7.0))
    assert task.action_names == ("hip",)
    assert task.model.actuator_ctrlrange.tolist() == [[-7.0, 7.0]]
    assert task.model.body("foot").id > 0  # fixed links keep their names
    assert "base_link_position" not in names(task)


def test_joint_that_mimics_another_has_no_motor(tmp_path: Path) -> None:
    more = """
      <link name="fin">
        <inertial><mass value="0.1"/><inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
      </link>
      <joint name="fin_joint" type="revolute">
        <parent link="base_link"/><child link="fin"/><axis xyz="0 0 1"/>
        <limit lower="-1" upper="1" effort="5" velocity="1"/><mimic joint="hip"/>
      </joint>
    """
    task = from_text(tmp_path, leg_urdf(more=more))
    assert task.action_names == ("hip",)
    assert task.state_spec["joint_positions"].elements == ("hip", "fin_joint")


def test_motors_of_a_urdf_can_be_replaced_by_position_targets(tmp_path: Path) -> None:
    from_text(tmp_path, leg_urdf())
    file = tmp_path / "robot" / "robot.xml"
    motor = '<general name="hip" joint="hip" ctrlrange="-20 20" ctrllimited="true"/>'
    servo = '<position name="hip" joint="hip" kp="50" ctrlrange="-1 1"/>'
    text = file.read_text(encoding="utf-8")
    assert motor in text
    file.write_text(text.replace(motor, servo), encoding="utf-8")
    shutil.move(tmp_path / "robot", tmp_path / "changed")
    check_task(load_file(tmp_path / "changed"))


def test_floating_urdf_starts_on_the_ground(tmp_path: Path) -> None:
    task = from_text(tmp_path, leg_urdf(), floating_base=True)
    assert "base_link_position" in names(task)
    data = mujoco.MjData(task.model)
    mujoco.mj_forward(task.model, data)
    foot = float(data.body("foot").xpos[2]) - 0.04  # its radius
    assert foot == pytest.approx(0.005, abs=1e-3)
    assert data.ncon == 0


def test_nothing_is_left_behind_when_the_robot_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text("<mujoco/>", encoding="utf-8")
    with pytest.raises(Exception, match="has no joints"):
        new_task("robot", tmp_path / "model.xml", path=tmp_path / "tasks")
    assert list((tmp_path / "tasks").iterdir()) == []

"""Write the folder of a new task for a robot."""

from __future__ import annotations

import keyword
import os
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import mujoco

from eureka_agent.authoring.robot_task import RobotTask, make_robot_task
from eureka_agent.authoring.robots.anatomy import anatomy_of, at_start
from eureka_agent.authoring.robots.completion import (
    add_ground,
    add_motors,
    exclude_neighbours,
    make_floating,
    sunk,
)
from eureka_agent.authoring.robots.identifiers import identifier
from eureka_agent.authoring.robots.mesh_files import copy_files
from eureka_agent.authoring.robots.robot_file import RobotFile, compiled, read_robot, refused
from eureka_agent.authoring.task_code import task_code
from eureka_agent.errors import RobotFileError, SimulationError, TaskError, UsageError
from eureka_agent.simulation.task_check import check_task
from eureka_agent.tasks.loading import load_file
from eureka_agent.text import one_line
from eureka_agent.utils.paths import user_path

_OVERLAP_M = 0.01
_LONGEST_WARNING = 300
_MOST_SHOWN = 4
_SIZES = ("nq", "nv", "nu", "nbody", "ngeom", "nsensor")


@dataclass(frozen=True)
class NewTask:
    """A task folder that was written."""

    folder: Path
    said: tuple[str, ...]
    """What was decided about the robot, and what to check, in sentences."""


def new_task(
    name: str, model: Path, *, path: Path = Path(), floating_base: bool = False
) -> NewTask:
    """Write a task folder for the robot of an MJCF or URDF file.

    The folder is whole: it has a copy of the model and of all files that the model names. The
    task runs as it is.

    Args:
        name: The task's name, a Python name; its folder gets it too.
        model: The robot's file.
        path: The folder that the task's folder is written into.
        floating_base: Whether the root link of a URDF moves freely.

    Returns:
        The folder, and what to know about it.

    Raises:
        RobotFileError: The robot's file has a mistake.
        UsageError: The name cannot be used, the folder exists, or it cannot be written.
    """
    _check_name(name)
    parent = user_path(path)
    folder = parent / name
    if folder.exists() or folder.is_symlink():
        raise UsageError(
            f"{folder} exists, and new-task never writes over anything: choose another name, or"
            " remove it."
        )
    robot = read_robot(user_path(model))
    if floating_base and not robot.is_urdf:
        raise UsageError(
            "--floating-base is for a URDF: in MJCF, write <freejoint/> into the robot's body."
        )
    try:
        parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=parent))
    except OSError as error:
        raise UsageError(
            f"Cannot write to {parent} ({error.strerror}): choose another --path."
        ) from error
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            said = _write(name, robot, draft, floating_base)
        said += [f"MuJoCo says: {text}" for text in _texts(warned)]
        draft.chmod(0o755)
        os.rename(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return NewTask(folder, tuple(said))


def _texts(warned: list[warnings.WarningMessage]) -> list[str]:
    """Return what MuJoCo warned of, each once."""
    return list(dict.fromkeys(one_line(str(each.message), _LONGEST_WARNING) for each in warned))


def _check_name(name: str) -> None:
    if name.isidentifier() and name.isascii() and not keyword.iskeyword(name):
        return
    raise UsageError(
        "A task's name has ASCII letters, digits and underscores, and does not begin with a digit,"
        f" e.g. {identifier(name, 'my_robot')}; got {name!r:.60}."
    )


def _write(name: str, robot: RobotFile, draft: Path, floating_base: bool) -> list[str]:
    """Write all files of the task into `draft`; return what to say about it."""
    spec = robot.spec
    said = []
    copied = copy_files(robot, draft)
    if copied:
        said.append(f"{copied} files of meshes and textures were copied into assets/.")
    if floating_base:
        said.append(make_floating(spec))
    model = compiled(spec, robot.path)
    _check_joints(robot, model)
    if robot.is_urdf and not model.nu:
        said += _with_motors(robot, model)
        model = compiled(spec, robot.path)
    _check_actuators(robot, model)
    said += add_ground(spec, model, anatomy_of(model), is_urdf=robot.is_urdf)
    model = compiled(spec, robot.path)
    try:
        described = make_robot_task(spec, model)
        xml = spec.to_xml()
    except (ValueError, mujoco.FatalError) as error:
        raise refused(robot.path, error) from error
    (draft / "robot.xml").write_text(xml, encoding="utf-8")
    _check_copy(robot, described.model, draft / "robot.xml")
    (draft / "task.py").write_text(task_code(name, described), encoding="utf-8")
    (draft / "__init__.py").write_text(f'"""The task {name}."""\n', encoding="utf-8")
    _check_runs(robot, draft)
    return [*said, *_remarks(described)]


def _check_joints(robot: RobotFile, model: mujoco.MjModel) -> None:
    if not model.njnt:
        raise RobotFileError(
            f"{robot.path} has no joints, so nothing in it can move: give the file of the whole"
            " robot."
        )


def _check_actuators(robot: RobotFile, model: mujoco.MjModel) -> None:
    if model.nu:
        return
    joints = [model.joint(j).name for j in range(model.njnt) if model.joint(j).name]
    example = one_line(joints[-1], 40) if joints else "hip"
    raise RobotFileError(
        f"{robot.path} has no actuators, so a policy could not move it: add an <actuator> section"
        f' with a motor for each joint, e.g. <motor joint="{example}" ctrlrange="-20 20"/>.'
    )


def _with_motors(robot: RobotFile, model: mujoco.MjModel) -> list[str]:
    estimated = add_motors(robot.spec, model, anatomy_of(model))
    said = ["Each joint got a motor with its effort limit, since a URDF has no actuators."]
    if exclude_neighbours(robot.spec, model):
        said.append("Contacts of the fixed base with the links that move on it are ignored.")
    if estimated:
        names = ", ".join(identifier(name, "joint") for name in estimated[:_MOST_SHOWN])
        more = f" and {len(estimated) - _MOST_SHOWN} more" if len(estimated) > _MOST_SHOWN else ""
        said.append(
            f"The file gives no effort limit for {names}{more}: the motors' ranges are estimates"
            " from the masses. Check <actuator> in robot.xml."
        )
    return said


def _check_copy(robot: RobotFile, model: mujoco.MjModel, copy: Path) -> None:
    """Raise RobotFileError when the copy of the model is not the model."""
    try:
        again = mujoco.MjModel.from_xml_path(str(copy))
    except (OSError, ValueError) as error:
        raise RobotFileError(
            f"{robot.path} uses something that MuJoCo cannot write to another file: {error}"
        ) from error
    different = [size for size in _SIZES if getattr(model, size) != getattr(again, size)]
    if different:
        raise RobotFileError(
            f"{robot.path} uses something that MuJoCo cannot write to another file: the copy"
            f" differs in {', '.join(different)}. Write the task by hand (docs/tasks.md)."
        )


def _check_runs(robot: RobotFile, draft: Path) -> None:
    """Raise RobotFileError when the robot cannot be simulated."""
    try:
        check_task(load_file(draft))
    except (TaskError, SimulationError) as error:
        reason = str(error).replace(f"{draft}{os.sep}", "")
        raise RobotFileError(
            f"{robot.path} can be read, but a task made of it does not run: {reason}"
        ) from error


def _remarks(robot: RobotTask) -> list[str]:
    """Return what a person should check."""
    model = robot.model
    example = next(each for each in robot.examples if each.name == robot.active)
    said = [f'Its fitness is an example: "{example.description}".']
    estimated = [
        name
        for name, control in zip(robot.actions, robot.controls, strict=True)
        if control.is_estimate
    ]
    if estimated:
        shown = ", ".join(estimated[:_MOST_SHOWN])
        more = f" and {len(estimated) - _MOST_SHOWN} more" if len(estimated) > _MOST_SHOWN else ""
        said.append(
            f"The file gives no ctrlrange for {shown}{more}: CONTROLS in task.py has estimates."
        )
    depth = sunk(model, robot.anatomy)
    if depth:
        said.append(f"The robot starts {depth:.2g} m deep in the ground: raise it in robot.xml.")
    data = at_start(model)
    overlaps = [c for c in range(data.ncon) if data.contact.dist[c] < -_OVERLAP_M]
    if overlaps and not depth:
        deepest = min(overlaps, key=lambda c: float(data.contact.dist[c]))
        first, second = (
            identifier(model.body(int(model.geom_bodyid[g])).name, "a body")
            for g in data.contact.geom[deepest]
        )
        said.append(
            f"At the start {first} and {second} overlap by"
            f" {-100 * float(data.contact.dist[deepest]):.1f} cm: move them apart, or exclude their"
            " contact in robot.xml."
        )
    return said

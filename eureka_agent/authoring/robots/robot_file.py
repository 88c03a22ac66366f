"""Read a robot's MJCF or URDF file; mistakes in it become one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import mujoco

from eureka_agent.errors import RobotFileError
from eureka_agent.text import one_line

_EXTENSIONS = (".xml", ".urdf")
_LARGEST_BYTES = 50_000_000
_LONGEST_REASON = 300
_NOT_WELL_FORMED = re.compile(r"Error=XML_ERROR_(\w+).*?Line number=(\d+)", re.DOTALL)
_HINTS = {
    "mass and inertia of moving bodies": "a body that moves has no mass: give it one",
    "volume is too small": "a mesh has no volume: give it one, or make it visual only",
}
"""What to do about errors of MuJoCo that say little, by a part of their text."""
_LINE = re.compile(r"\bline (\d+)")


@dataclass(frozen=True)
class RobotFile:
    """A robot's file, read but not compiled."""

    path: Path
    spec: mujoco.MjSpec
    is_urdf: bool


def read_robot(path: Path) -> RobotFile:
    """Read an MJCF or URDF file.

    Args:
        path: The file. What it includes is read as well; its meshes are not.

    Returns:
        The robot. The links of a URDF keep their names: fixed joints are not fused.

    Raises:
        RobotFileError: The file is missing, of another kind, or not valid.
    """
    path = path.resolve()
    kind = _root_element(path)
    if kind not in ("mujoco", "robot"):
        raise RobotFileError(
            f"{path} is neither MJCF nor URDF: its root element must be <mujoco> or <robot>, but it"
            f" is <{one_line(kind, 40)}>. Give the file that describes the whole robot."
        )
    try:
        spec = mujoco.MjSpec.from_file(str(path))
    except (OSError, ValueError) as error:
        raise refused(path, error) from error
    if kind == "robot":
        spec.compiler.fusestatic = False
    return RobotFile(path, spec, is_urdf=kind == "robot")


def compiled(spec: mujoco.MjSpec, path: Path) -> mujoco.MjModel:
    """Compile a robot that was read from `path`. Raises RobotFileError when MuJoCo refuses it."""
    try:
        return spec.compile()
    except (OSError, ValueError, mujoco.FatalError) as error:
        raise refused(path, error) from error


def refused(path: Path, error: Exception) -> RobotFileError:
    """Return MuJoCo's error about a file as one sentence, with the line where it names one."""
    words = str(error)
    if found := _NOT_WELL_FORMED.search(words):
        what = found[1].replace("_", " ").lower()
        return RobotFileError(f"{path}:{found[2]}: it is not well-formed XML ({what}): fix it.")
    place = f"{path}:{line[1]}" if (line := _LINE.search(words)) else f"{path}"
    reason = one_line(words, _LONGEST_REASON).rstrip(".")
    hints = [f" In other words, {hint}." for text, hint in _HINTS.items() if text in words]
    return RobotFileError(f"{place}: MuJoCo cannot read the robot: {reason}.{''.join(hints)}")


def _root_element(path: Path) -> str:
    """Return the name of the file's root element. Raises RobotFileError for an unusable file."""
    if not path.is_file():
        raise RobotFileError(
            f"There is no file {path}: --model takes the MJCF or URDF file of a robot."
        )
    if path.suffix.lower() not in _EXTENSIONS:
        raise RobotFileError(
            f"{path.name} must end in {' or '.join(_EXTENSIONS)}: --model takes MJCF (.xml) or URDF"
            f" (.xml or .urdf).{_hint(path.suffix.lower())}"
        )
    if path.stat().st_size > _LARGEST_BYTES:
        raise RobotFileError(
            f"{path} is larger than {_LARGEST_BYTES // 1_000_000} MB: --model takes the file that"
            " describes the robot, which names its meshes."
        )
    try:
        for _, element in ElementTree.iterparse(path, ("start",)):
            return str(element.tag)
    except ElementTree.ParseError as error:
        line = error.position[0]
        raise RobotFileError(
            f"{path}:{line}: it is not well-formed XML ({error}): fix it."
        ) from None
    except OSError as error:
        raise RobotFileError(f"Cannot read {path} ({error.strerror}): check it.") from error
    raise RobotFileError(f"{path} is empty: --model takes the MJCF or URDF file of a robot.")


def _hint(suffix: str) -> str:
    if suffix == ".xacro":
        return " Make a URDF of it first: xacro robot.urdf.xacro > robot.urdf"
    if suffix in (".usd", ".usda", ".usdc", ".sdf"):
        return " Convert it to MJCF or URDF first."
    if suffix == ".mjcf":
        return " Rename it to .xml."
    return ""

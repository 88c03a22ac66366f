"""Find the files that a robot's model names, and copy them next to the new task's model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eureka_agent.authoring.robots.robot_file import RobotFile
from eureka_agent.errors import RobotFileError
from eureka_agent.text import one_line

_FOLDER = "assets"
_PACKAGE = "package://"
_FILE = "file://"
_SHOWN = 4
_MESHES = (".stl", ".obj", ".msh")
"""The formats of meshes that MuJoCo reads."""


@dataclass
class _Copies:
    """The files copied so far, each under a name of its own."""

    folder: Path
    names: dict[Path, str] = field(default_factory=dict)

    def name_of(self, source: Path) -> str:
        """Copy a file if that was not done yet, and return the name of its copy."""
        if source not in self.names:
            taken = set(self.names.values())
            name = source.name
            number = 2
            while name in taken:
                name = f"{source.stem}_{number}{source.suffix}"
                number += 1
            self.folder.mkdir(exist_ok=True)
            shutil.copyfile(source, self.folder / name)
            self.names[source] = name
        return self.names[source]


def copy_files(robot: RobotFile, folder: Path) -> int:
    """Copy every mesh, texture, height field and skin into `folder/assets`.

    The model's names of them are changed, so that it works in `folder` wherever that is moved.

    Args:
        robot: The robot, not compiled. Its `spec` is changed.
        folder: The new task's folder.

    Returns:
        How many files were copied.

    Raises:
        RobotFileError: Files are missing, or MuJoCo does not read their format.
    """
    spec = robot.spec
    copies = _Copies(folder / _FOLDER)
    missing: list[tuple[str, list[Path]]] = []
    for written, meshes, put in _named_files(robot):
        wanted = _places(
            robot, written, spec.compiler.meshdir if meshes else spec.compiler.texturedir
        )
        found = next((place.resolve() for place in wanted if place.is_file()), None)
        if found is None:
            missing.append((written, wanted))
            continue
        _check_format(robot, written, meshes)
        put(copies.name_of(found))
    if missing:
        raise RobotFileError(_missing(robot, missing))
    spec.compiler.meshdir = _FOLDER
    spec.compiler.texturedir = _FOLDER
    spec.modelfiledir = str(folder)
    return len(copies.names)


def _named_files(robot: RobotFile) -> Iterator[tuple[str, bool, Callable[[str], None]]]:
    """Yield each name of a file, whether it is in the meshes' folder, and how to change it."""
    spec = robot.spec
    for element in (*spec.meshes, *spec.hfields, *spec.skins):
        if element.file:
            yield element.file, True, _setter(element)
    for texture in spec.textures:
        if texture.file:
            yield texture.file, False, _setter(texture)
        for side, name in enumerate(texture.cubefiles):
            if name:
                yield name, False, _side_setter(texture, side)


def _setter(element: object) -> Callable[[str], None]:
    def put(name: str) -> None:
        element.file = name  # type: ignore[attr-defined]

    return put


def _side_setter(texture: object, side: int) -> Callable[[str], None]:
    def put(name: str) -> None:
        texture.cubefiles[side] = name  # type: ignore[attr-defined]

    return put


def _places(robot: RobotFile, written: str, folder: str) -> list[Path]:
    """Return where a file may be, in the order of the search."""
    home = robot.path.parent
    if written.startswith(_PACKAGE):
        package, _, rest = written.removeprefix(_PACKAGE).partition("/")
        above = (home, *home.parents)
        inside = [parent / rest for parent in above if parent.name == package]
        near = [parent / package / rest for parent in above]
        same = [parent / rest for parent in above[:3]]
        return [*inside, *near, *same, home / Path(rest).name]
    if written.startswith(_FILE):
        return [Path(written.removeprefix(_FILE))]
    # An absolute path stays as it is. A URDF's paths are often relative to another folder.
    base = Path(written).name
    return [home / folder / written, home / written, home / folder / base, home / base]


def _check_format(robot: RobotFile, written: str, meshes: bool) -> None:
    suffix = Path(written).suffix.lower()
    if meshes and robot.is_urdf and suffix not in _MESHES:
        raise RobotFileError(
            f"{robot.path.name} names the mesh {one_line(written, 200)}, but MuJoCo reads only"
            f" {', '.join(_MESHES)}: convert it, or replace it by a box or a cylinder."
        )


def _missing(robot: RobotFile, missing: list[tuple[str, list[Path]]]) -> str:
    names = list(dict.fromkeys(one_line(written, 200) for written, _ in missing))
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    places = list(dict.fromkeys(str(place.parent) for place in missing[0][1]))
    looked = ", ".join(places[:_SHOWN])
    advice = "put them there, or change their paths in the file"
    if names[0].startswith(_PACKAGE):
        package = names[0].removeprefix(_PACKAGE).partition("/")[0]
        advice = (
            f"put the robot's file into the folder {package}, as in its ROS package, or copy the"
            " files next to it"
        )
    return (
        f"{robot.path.name} needs files that are missing: {shown}{more}. The first was looked for"
        f" in {looked}: {advice}."
    )

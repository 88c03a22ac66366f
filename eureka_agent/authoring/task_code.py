"""Write the Python code of a new task from its template."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import cache
from importlib import resources

import jinja2

from eureka_agent.authoring.notes import notes_of
from eureka_agent.authoring.robot_task import RobotTask

_WIDTH = 88
"""Columns of a line, as ruff formats by default."""
_MOST_SPEEDS = 2


def task_code(name: str, robot: RobotTask) -> str:
    """Return the content of a new task's `task.py`, formatted as ruff does.

    Args:
        name: The task's name, a Python name.
        robot: What is known of the robot. All its texts are made of Python names.
    """
    listed = [each for each in robot.variables if each.is_listed]
    others = [each.as_comment for each in robot.examples if each.name != robot.active]
    active = next(example for example in robot.examples if example.name == robot.active)
    seconds = robot.max_episode_steps * robot.frame_skip * robot.model.opt.timestep
    return _template().render(
        name=name,
        class_name="".join(word.capitalize() for word in name.split("_")) + "Task",
        robot=robot,
        names=_name_tables(robot),
        places=_places(robot),
        listed=listed,
        unlisted=[each.spec for each in robot.variables if not each.is_listed],
        coded=[each for each in listed if each.source == "code"],
        seen=[each for each in listed if each.seen],
        reads=_reads(robot),
        observation_size=sum(each.seen_size for each in listed),
        estimated=any(control.is_estimate for control in robot.controls),
        attributes=[
            assignment("description", active.description),
            assignment("fitness_unit", active.unit),
            f"    fitness_solved = {active.solved}",
            assignment("fitness_meaning", active.meaning),
        ],
        notes=assignment("notes", notes_of(robot)),
        speeds=_speeds(robot),
        active=active,
        others=others,
        episode_s=f"{seconds:g}",
    )


def assignment(name: str, text: str) -> str:
    """Return code that assigns a text of plain words to a class attribute, in short lines."""
    line = f'    {name} = "{text}"'
    if len(line) <= _WIDTH:
        return line
    pieces = textwrap.wrap(text, _WIDTH - len('        " "'))
    parts = [pieces[0], *(f" {piece}" for piece in pieces[1:])]
    body = "\n".join(f'        "{part}"' for part in parts)
    return f"    {name} = (\n{body}\n    )"


def _name_tables(robot: RobotTask) -> list[tuple[str, str, Sequence[str]]]:
    """Return the constants that hold names: constant, comment, names."""
    tables: list[tuple[str, str, Sequence[str]]] = [
        ("ACTIONS", "The actuators, in the order of robot.xml.", robot.actions),
        ("JOINTS", "The joints that turn.", robot.joints),
        ("SLIDERS", "The joints that slide.", robot.sliders),
    ]
    for constant, source, comment, _ in _SENSOR_TABLES:
        names = [
            each.spec.name for each in robot.variables if each.source == source and each.is_listed
        ]
        tables.append((constant, comment, names))
    return [table for table in tables if table[2]]


def _reads(robot: RobotTask) -> list[tuple[str, str]]:
    """Return how the sensors of each table are read: constant, expression."""
    sources = {each.source for each in robot.variables if each.is_listed}
    return [(constant, code) for constant, source, _, code in _SENSOR_TABLES if source in sources]


def _places(robot: RobotTask) -> list[tuple[str, str]]:
    """Return the entries of the joints in `qpos` and `qvel`: constant, code."""
    model, anatomy = robot.model, robot.anatomy
    found = []
    for word, joints in (("JOINT", anatomy.hinges), ("SLIDER", anatomy.slides)):
        if joints:
            found.append((f"{word}_QPOS", _indices([int(model.jnt_qposadr[j]) for j in joints])))
            found.append((f"{word}_QVEL", _indices([int(model.jnt_dofadr[j]) for j in joints])))
    return found


def _indices(places: list[int]) -> str:
    """Return code that selects entries: a slice if they follow each other."""
    first, last = places[0], places[-1]
    if places == list(range(first, last + 1)):
        return f"slice({first}, {last + 1})"
    return "\n".join(["[", *(f"    {place}," for place in places), "]"])


def _speeds(robot: RobotTask) -> list[str]:
    """Return the velocities that show that a simulation diverges."""
    names = [
        each.spec.name
        for each in robot.variables
        if each.source == "code" and each.spec.kind in ("joint_velocities", "angular_velocity")
    ]
    return names[:_MOST_SPEEDS] or [f"{robot.base}_angular_velocity"]


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # it writes Python, and all words in it are Python names
    )
    folder = resources.files("eureka_agent.authoring") / "templates"
    return environment.from_string((folder / "task.py.jinja").read_text(encoding="utf-8"))


_SENSOR_TABLES = (
    (
        "SENSORS",
        "vector",
        "Sensors of robot.xml that are state as they are.",
        "physics.sensor(name)",
    ),
    ("NUMBERS", "number", "Sensors of one number.", "physics.sensor(name)[:, 0]"),
    (
        "CONTACT_FORCES",
        "contact",
        "Sensors of a force, of which the state has the size.",
        "physics.sensor(name).norm(dim=1)",
    ),
)

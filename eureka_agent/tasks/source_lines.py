"""Finds where part of a task is written, as `file:line`.

Every message about a task's own code begins with it.
"""

from __future__ import annotations

import ast
import inspect
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eureka_agent.errors import EurekaError, TaskError
from eureka_agent.tasks.task import Task
from eureka_agent.text import one_line

_LONGEST_REASON = 400


def place_of(task: Task, name: str = "") -> str:
    """Return where the task's method or attribute `name` is written, else where its class is."""
    kind = next(
        (
            each
            for each in type(task).__mro__
            if name in vars(each) and not _is_ours(each.__module__)
        ),
        type(task),
    )
    code = getattr(inspect.unwrap(vars(kind).get(name, kind)), "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file is None:
        return f"{kind.__module__}.{kind.__qualname__}"
    return f"{file}:{_line_in(Path(file), kind.__name__, name)}"


def broken(error: BaseException, what: str, folder: Path | None, otherwise: str) -> TaskError:
    """Return a TaskError of one sentence about an exception that the code of a task raised.

    Args:
        error: What was raised.
        what: What could not be done, e.g. `build() failed`.
        folder: The task's folder. The message names the last line of the traceback that is in it.
        otherwise: The place to name when no line of the traceback is in the folder.
    """
    reason = str(error) if isinstance(error, EurekaError) else f"{type(error).__name__}: {error}"
    reason = one_line(reason, _LONGEST_REASON).rstrip(".")
    return TaskError(f"{_raised_in(error, folder) or otherwise}: {what}: {reason}.")


@contextmanager
def naming_lines_of(task: Task) -> Iterator[None]:
    """Turn an exception that a method of `task` raises into a TaskError; let all others pass."""
    try:
        yield
    except EurekaError:
        raise
    except Exception as error:
        frames = [
            frame
            for frame, _ in traceback.walk_tb(error.__traceback__)
            if frame.f_locals.get("self") is task and not _is_ours(frame.f_globals["__name__"])
        ]
        if not frames:
            raise
        method = frames[0].f_code.co_name
        raise broken(error, f"{method}() failed", task.folder, place_of(task, method)) from error


def _raised_in(error: BaseException, folder: Path | None) -> str:
    """Return `file:line` of the last line of the traceback in `folder`, or an empty string."""
    if folder is None:
        return ""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno))
    inside = [
        (file, line)
        for file, line in frames
        if Path(file).resolve().is_relative_to(folder.resolve())
    ]
    return f"{inside[-1][0]}:{inside[-1][1]}" if inside else ""


def _line_in(file: Path, kind: str, name: str) -> int:
    """Return the line at which the class `kind` assigns `name`, else the line of the class."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return 1
    classes = (
        node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == kind
    )
    found = next(classes, None)
    if found is None:
        return 1
    for node in found.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node.lineno
    return found.lineno


def _is_ours(module: str) -> bool:
    """Whether a module belongs to the library itself, not to a task."""
    return module.startswith(("eureka_agent.tasks.", "eureka_agent.simulation."))

"""Loading the code of a task, from a folder of `envs/` or from a file anywhere."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

from eureka_agent.errors import TaskError, UnknownTaskError
from eureka_agent.tasks.attributes import check_attributes
from eureka_agent.tasks.source_lines import broken
from eureka_agent.tasks.task import Task

_LOADED: dict[Path, tuple[int, Task]] = {}
"""Tasks by file, each with the file's modification time: an edited file is loaded again."""


def load_file(path: Path) -> Task:
    """Run the Python file of a task, or `task.py` of a folder, and return its `TASK`.

    The file may import its neighbours relatively (`from .helpers import …`).

    Raises:
        UnknownTaskError: There is no such file.
        TaskError: The file has a mistake.
    """
    path = path.expanduser().resolve()
    file = path / "task.py" if path.is_dir() else path
    if not file.is_file():
        raise UnknownTaskError(
            f"There is no file {file}: a text with a slash is the path of a task's folder, or of"
            " its task.py."
        )
    changed = file.stat().st_mtime_ns
    if file not in _LOADED or _LOADED[file][0] != changed:
        _LOADED[file] = changed, _task_of(file, lambda: _run(file))
    return _LOADED[file][1]


def load_module(name: str, file: Path) -> Task:
    """Import the module `name`, whose file is `file`, and return its `TASK`. Raises TaskError."""
    if not file.is_file():
        raise TaskError(f"{file.parent} has no task.py: write one with TASK, or remove the folder.")
    return _task_of(file, lambda: importlib.import_module(name))


def load_entry_point(point: EntryPoint) -> Task:
    """Return the task that an installed package offers as `point`. Raises TaskError."""
    what = f"The entry point {point.name} = {point.value} of the group eureka_agent.tasks"
    try:
        task = point.load()
    except (Exception, SystemExit) as error:
        raise broken(error, "it cannot be loaded", None, what) from error
    if not isinstance(task, Task):
        raise TaskError(f"{what} must be a Task object, but it is a {type(task).__name__}.")
    check_attributes(task)
    return task


def _task_of(file: Path, run: Callable[[], ModuleType]) -> Task:
    try:
        module = run()
    except (Exception, SystemExit) as error:
        is_neighbour = (
            isinstance(error, ModuleNotFoundError) and file.with_name(f"{error.name}.py").is_file()
        )
        hint = " (import files of its folder relatively: from . import …)" if is_neighbour else ""
        raise broken(error, f"it cannot be loaded{hint}", file.parent, f"{file}:1") from error
    task = vars(module).get("TASK")
    if not isinstance(task, Task):
        raise TaskError(f"{file}:{_line_of_task(file)}: {_how_to_define(task)}")
    check_attributes(task)
    return task


def _how_to_define(task: object) -> str:
    """Return what is wrong with a `TASK` that is missing or not a task, and how to fix it."""
    if isinstance(task, type) and issubclass(task, Task):
        return f"TASK is the class {task.__name__}: write TASK = {task.__name__}(), an instance."
    what = "it defines no TASK" if task is None else f"its TASK is of type {type(task).__name__}"
    return f"{what}: end it with TASK = YourTask(), of a subclass of eureka_agent.tasks.task.Task."


def _line_of_task(file: Path) -> int:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith("TASK")), 1)


def _run(file: Path) -> ModuleType:
    """Run a file as a module of its own package, which stands for its folder."""
    package = f"eureka_agent_task_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    name = f"{package}.{file.stem}"
    loaded = [each for each in sys.modules if each == package or each.startswith(f"{package}.")]
    for known in loaded:
        del sys.modules[known]  # other files of the folder may have changed as well
    init = file.with_name("__init__.py")
    _execute(package, init if init.is_file() else None, [str(file.parent)])
    return sys.modules.get(name) or _execute(name, file, None)


def _execute(name: str, file: Path | None, folders: list[str] | None) -> ModuleType:
    if file is None:
        module = ModuleType(name)
        module.__path__ = folders or []
        sys.modules[name] = module
        return module
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is not a Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module

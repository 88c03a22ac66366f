"""Finding tasks: by name, alias, exact description or id, or by the path of their code.

Every folder of `envs/` with a `task.py` that defines `TASK` is a task; adding one edits no other
file. An installed package offers tasks through the entry point group `eureka_agent.tasks`. The task
folders of another folder are found by name if it is given (`--task-path`), and any task by the path
of its code.
"""

from __future__ import annotations

import difflib
import importlib
import os
import re
import shlex
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from eureka_agent.errors import TaskError, UnknownTaskError, UsageError
from eureka_agent.tasks.attributes import check_attributes
from eureka_agent.tasks.ids import kind_of_id, task_of_id
from eureka_agent.tasks.loading import load_entry_point, load_file, load_module
from eureka_agent.tasks.task import Task, TaskLike
from eureka_agent.utils.did_you_mean import did_you_mean, normalised
from eureka_agent.utils.english import COMMON_WORDS, stem

AN_INSTRUCTION = "An instruction of your own needs the scene of a task: --env {env} --task {words}."
"""What to do with a text that does not name a task: `{env}` is the nearest task, `{words}` the
text in quotes."""

_ENVS = "eureka_agent.envs"
_ENTRY_POINTS = "eureka_agent.tasks"
_COMMON_WORDS = COMMON_WORDS.union("let please using isaac direct".split())
_VERSION = re.compile(r"v\d+")
_NEAR = 0.45
_LONGEST_SHOWN = 100


def task_names() -> tuple[str, ...]:
    """Return the names of all tasks of `envs/` and installed packages, sorted, broken ones too."""
    return tuple(sorted({*_folders(), *_entry_points()}))


@cache
def load_task(name: str) -> Task:
    """Return a task of `envs/` or of an installed package.

    Args:
        name: Its exact name; see `find_task` for anything else.

    Returns:
        The task. Each call with the same name returns the same object.

    Raises:
        UnknownTaskError: There is no task of this name.
        TaskError: The code of the task is broken.
    """
    folder = _folders().get(name)
    if folder is not None:
        task = load_module(f"{_ENVS}.{name}.task", folder / "task.py")
        where = str(folder / "task.py")
    elif (point := _entry_points().get(name)) is not None:
        task = load_entry_point(point)
        where = f"The entry point {point.value}"
    else:
        raise UnknownTaskError(
            f"There is no task {name!r}.{did_you_mean(name, task_names())} {_listing()}"
        )
    if task.name != name:
        raise TaskError(f"{where}: its task has the name {task.name!r}: it must be {name!r}.")
    return task


def all_tasks() -> tuple[Task, ...]:
    """Return every task of `task_names` that can be loaded, sorted by name."""
    return tuple(_loaded()[0])


def broken_tasks() -> dict[str, str]:
    """Return the names of tasks that cannot be loaded, each with a sentence that says why."""
    return {name: str(error) for name, error in _loaded()[1].items()}


def find_task(task: TaskLike, *, folder: Path | None = None, advice: str = AN_INSTRUCTION) -> Task:
    """Return the task that `task` refers to.

    Args:
        task: A task, its name, an alias, its exact description, its id, or the path of its code.
            The code at a path is run, so give only paths that you trust.
        folder: A folder of task folders whose tasks are found by name as well; their code is run.
        advice: What an unknown task's message tells the user to do; see `AN_INSTRUCTION`.

    Returns:
        The task, loaded and with its attributes checked.

    Raises:
        UnknownTaskError: There is no such task. The message names similar ones.
        TaskError: The code of the task is broken.
        UsageError: `task` is neither a text, a path nor a task.
    """
    if isinstance(task, Task):
        check_attributes(task)
        return task
    if not isinstance(task, str | os.PathLike):
        raise UsageError(f"A task is a name, a path or a Task object, got {_kind(task)}.")
    if isinstance(task, str) and kind_of_id(task) is not None:
        found_by_id = task_of_id(task)
        check_attributes(found_by_id)
        return found_by_id
    if not isinstance(task, str) or looks_like_path(task):
        return load_file(Path(task))
    if folder is not None and (found := _task_in(folder, task)) is not None:
        return found
    # Unlike Path, these functions accept texts that are not paths.
    if os.path.isfile(os.path.join(task, "task.py")):
        advice += " There is a folder of this name here: write ./ and the name for the task in it."
    return named_task(task, advice=advice)


def tasks_in(folder: Path) -> tuple[Task, ...]:
    """Return the tasks of the task folders in `folder`, sorted by folder name.

    Raises:
        UnknownTaskError: It is not a folder, or has no task folders.
        TaskError: The code of a task is broken.
    """
    folder = folder.expanduser()
    if not folder.is_dir():
        raise UnknownTaskError(f"There is no folder {folder}: --task-path takes a folder of tasks.")
    found = [child for child in sorted(folder.iterdir()) if (child / "task.py").is_file()]
    if not found:
        raise UnknownTaskError(f"{folder} has no task: each is a folder with a task.py in it.")
    return tuple(load_file(child) for child in found)


def looks_like_path(text: str) -> bool:
    """Whether a text is a path: it has a separator or ends in .py.

    A text with spaces is a path only if it exists, and an id is none.
    """
    if kind_of_id(text) is not None:
        return False
    if not (text.endswith(".py") or "/" in text or os.sep in text):
        return False
    return not re.search(r"\s", text.strip()) or os.path.exists(os.path.expanduser(text))


def named_task(words: str, *, advice: str = AN_INSTRUCTION) -> Task:
    """Return the task of `task_names` whose name, alias or description is `words`.

    Case and punctuation do not matter. A similar text is not enough: "spin the pen clockwise" is
    not "spin the pen". Paths are not looked at.

    Raises:
        UnknownTaskError: There is no such task. The message names similar ones and says what to do:
            `advice` with `{env}` and `{words}` filled in.
        TaskError: The code of the task is broken.
    """
    if not words.strip():
        raise UnknownTaskError(f"The task is empty: name one. {_listing()}")
    wanted = normalised(words)
    tasks, broken = _loaded()
    if wanted in (folders := {normalised(name): name for name in broken}):
        raise broken[folders[wanted]]
    found = [task for task in tasks if wanted and wanted in _names_of(task)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownTaskError(f"{words!r} is a name of {_or(found)}: use the task's own name.")
    near = near_tasks(words, tasks)
    shown = textwrap.shorten(words, _LONGEST_SHOWN, placeholder=" …") or words
    question = f" Did you mean {_or(near)}?" if near else ""
    advice = advice.format(env=near[0].name if near else "NAME", words=_quoted(words))
    raise UnknownTaskError(f"No task is called {shown!r}.{question} {advice} {_listing()}")


def near_tasks(words: str, tasks: Iterable[Task]) -> list[Task]:
    """Return up to three tasks that `words` may mean, most similar first.

    Tasks that share significant words with it come before those whose names are spelled similarly.
    """
    tasks = list(tasks)
    by_name = {name: task for task in tasks for name in _names_of(task)}
    scores = {task.name: _score(words, task) for task in tasks}
    by_words = [
        task
        for task in sorted(tasks, key=lambda task: -scores[task.name])
        if scores[task.name] >= _NEAR
    ]
    by_letters = [
        by_name[name]
        for name in difflib.get_close_matches(normalised(words), by_name, n=3, cutoff=0.6)
    ]
    return list({task.name: task for task in by_words or by_letters}.values())[:3]


def telling_words(text: str) -> list[str]:
    """Return the words of `text` that distinguish tasks, in order, without English endings."""
    words = (normalised(word) for word in re.findall(r"[^\W_]+", text.replace("'s", "")))
    return [
        stem(word) for word in words if word not in _COMMON_WORDS and not _VERSION.fullmatch(word)
    ]


def reference(task: Task) -> str:
    """Return what finds a task again: its name, its id, or the path of its file."""
    if task.id is not None:
        return task.id
    in_envs = (task.file or Path()).parent in {folder.resolve() for folder in _folders().values()}
    installed = task.name in _entry_points() and load_task(task.name) is task
    return task.name if in_envs or installed or task.file is None else str(task.file)


# ---------------------------------------------------------------------- discovery
def _task_in(folder: Path, words: str) -> Task | None:
    """Return the task of a folder whose name, alias or description is `words`."""
    wanted = normalised(words)
    return next((task for task in tasks_in(folder) if wanted in _names_of(task)), None)


@cache
def _entry_points() -> dict[str, EntryPoint]:
    """Return the tasks that installed packages offer, by name."""
    return {point.name: point for point in entry_points(group=_ENTRY_POINTS)}


def _folders() -> dict[str, Path]:
    """Return the folders of `envs/` that should hold a task, by name."""
    parents = [Path(parent) for parent in importlib.import_module(_ENVS).__path__]
    children = [
        child for parent in parents if parent.is_dir() for child in sorted(parent.iterdir())
    ]
    return {child.name: child for child in reversed(children) if _is_task_folder(child)}


def _is_task_folder(path: Path) -> bool:
    return path.name.isidentifier() and any(
        (path / file).is_file() for file in ("task.py", "__init__.py")
    )


def _loaded() -> tuple[list[Task], Mapping[str, TaskError]]:
    tasks: list[Task] = []
    broken: dict[str, TaskError] = {}
    for name in task_names():
        try:
            tasks.append(load_task(name))
        except TaskError as error:
            broken[name] = error
    return tasks, broken


# ---------------------------------------------------------------------- words
def _names_of(task: Task) -> set[str]:
    return {normalised(name) for name in (task.name, *task.aliases, task.description)}


def _score(words: str, task: Task) -> float:
    """Return how well `words` match a task, 0 to 1; 1 if they contain all words of one name."""
    instruction = frozenset(telling_words(words))
    texts = [
        frozenset(telling_words(text)) for text in (task.name, *task.aliases, task.description)
    ]
    return max(
        1.0 if text and text <= instruction else _overlap(instruction, text) for text in texts
    )


def _overlap(instruction: frozenset[str], text: frozenset[str]) -> float:
    """Return the F-measure of the shared words: missing and additional words both count."""
    shared = len(instruction & text)
    return 2 * shared / (len(instruction) + len(text)) if shared else 0.0


def _quoted(words: str) -> str:
    """Return a text quoted for a shell, or INSTRUCTION if it would not fit into a message."""
    if len(words) > _LONGEST_SHOWN or not words.isprintable():
        return "INSTRUCTION"
    return shlex.quote(words) if re.search(r'["$`\\!]', words) else f'"{words}"'


def _or(tasks: Iterable[Task]) -> str:
    return " or ".join(repr(task.name) for task in tasks)


def _kind(value: object) -> str:
    return (
        f"the class {value.__name__}"
        if isinstance(value, type)
        else f"{type(value).__name__} {value!r:.60}"
    )


def _listing() -> str:
    return f"Tasks: {', '.join(task_names())}."

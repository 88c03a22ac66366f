"""Finding tasks: by name, by alias, or by a description in words.

Every folder of `envs/` with a `task.py` that defines `TASK` is a task; adding one edits no other file.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable
from functools import cache

from eureka_agent.errors import UnknownTaskError
from eureka_agent.suggest import did_you_mean
from eureka_agent.task import Task

_ENVS = "eureka_agent.envs"
_FILLER = frozenset("a an and the to of its it with in on as make let robot task please for using by".split())
_MIN_SCORE, _MIN_LEAD = 0.7, 0.2  # one word of a two-word name is 0.67: "spin" alone names no task


@cache
def task_names() -> tuple[str, ...]:
    """Return the names of all tasks, sorted."""
    package = importlib.import_module(_ENVS)
    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg))


@cache
def load_task(name: str) -> Task:
    """Return the task called exactly `name` (a folder of `envs/`)."""
    if name not in task_names():
        raise UnknownTaskError(f"There is no task {name!r}.{did_you_mean(name, task_names())} {_listing()}")
    task = importlib.import_module(f"{_ENVS}.{name}.task").TASK
    if not isinstance(task, Task):
        raise UnknownTaskError(f"envs/{name}/task.py must define TASK, an instance of eureka_agent.task.Task.")
    return task


def all_tasks() -> tuple[Task, ...]:
    """Return every task, sorted by name."""
    return tuple(load_task(name) for name in task_names())


def find_task(words: str) -> Task:
    """Return the task that `words` mean: its name, an alias, or its description.

    Raises UnknownTaskError when nothing fits or when two tasks fit equally well; the message names the near
    ones. A description must share most of its telling words with one task and clearly more than with any other,
    so that "pen spinning" never becomes "open the pen's cap".
    """
    wanted = _normalise(words)
    if not wanted:
        raise UnknownTaskError(f"The task is empty. {_listing()}")
    tasks = all_tasks()
    exact = [t for t in tasks if wanted in {_normalise(name) for name in (t.name, *t.aliases, t.description)}]
    if len(exact) == 1:
        return exact[0]
    if exact:
        raise UnknownTaskError(f"{words!r} is a name of {_names(exact)}: use the task's own name.")
    scores = sorted(((_score(words, task), task) for task in tasks), key=lambda pair: -pair[0])
    (best, task), (second, other) = scores[0], scores[1] if len(scores) > 1 else (0.0, None)
    if best >= _MIN_SCORE and best - second >= _MIN_LEAD:
        return task
    if best >= _MIN_SCORE and other is not None:
        near = [t for score, t in scores if best - score < _MIN_LEAD]
        raise UnknownTaskError(f"{words!r} could mean {_names(near)}: use one of these names.")
    known = [name for t in tasks for name in (t.name, *t.aliases)]
    raise UnknownTaskError(
        f"No task matches {words!r}.{did_you_mean(words, known)} {_listing()} "
        f"To put a new wish on an existing environment: --env NAME --task {words!r}."
    )


def telling_words(text: str) -> list[str]:
    """Return the words of `text` that tell one task from another, in order, without their English endings."""
    return [_stem(word) for word in _normalise(text).split() if word not in _FILLER]


def _score(words: str, task: Task) -> float:
    """Share of the wish's telling words that the task's best name or description has (0 to 1)."""
    wish = frozenset(telling_words(words))
    if not wish:
        return 0.0
    candidates = (frozenset(telling_words(text)) for text in (task.name, *task.aliases, task.description))
    return max(_overlap(wish, text) for text in candidates)


def _overlap(wish: frozenset[str], text: frozenset[str]) -> float:
    """F-measure of the shared words: words that the wish lacks count as well as words that the task lacks."""
    shared = len(wish & text)
    return 2 * shared / (len(wish) + len(text)) if shared else 0.0


def _stem(word: str) -> str:
    """Cut English endings so that spin, spins and spinning agree."""
    for ending in ("ning", "ing", "ers", "er", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _normalise(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.casefold().replace("'s", "")))


def _names(tasks: Iterable[Task]) -> str:
    return " or ".join(repr(task.name) for task in tasks)


def _listing() -> str:
    return f"Tasks: {', '.join(task_names())}."

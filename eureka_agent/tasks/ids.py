"""Tasks that are found by an id: `gym:HalfCheetah-v5`.

An id is a kind, a colon and a name of that kind. Options follow as a JSON object after a space:
`gym:Hopper-v5 {"fitness": "info:x_position:last", "kwargs": {"healthy_reward": 0}}`. This text
stands for the task everywhere: on the command line, in a run, and in a job for another process.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from eureka_agent.errors import UsageError

if TYPE_CHECKING:  # keeps `synthesize --help` free of torch
    from eureka_agent.tasks.task import Task

Options: TypeAlias = Mapping[str, Any]

_KINDS: Mapping[str, str] = {
    "gym": "eureka_agent.simulation.gymnasium:gymnasium_task",
    "metaworld": "eureka_agent.simulation.gymnasium:metaworld_task",
}
"""Where the function is that makes a task of each kind from a name and options. The task's `id` is
the text of the id. It raises UnknownTaskError or UsageError. Simulators are imported on use."""


def kind_of_id(text: str) -> str | None:
    """Return the kind of an id, or None if a text is none."""
    kind, colon, _ = text.strip().partition(":")
    return kind if colon and kind in _KINDS else None


@cache
def task_of_id(text: str) -> Task:
    """Return the task of an id. Each call with the same text returns the same object.

    Raises:
        UnknownTaskError: There is no such task.
        UsageError: The options are not a JSON object, or do not fit.
    """
    kind = kind_of_id(text)
    assert kind is not None
    module, _, function = _KINDS[kind].partition(":")
    make = cast(
        "Callable[[str, Options], Task]", getattr(importlib.import_module(module), function)
    )
    name, options = split_id(text)
    return make(name, options)


def split_id(text: str) -> tuple[str, Options]:
    """Return the name of an id, without its kind, and its options.

    Raises:
        UsageError: What follows the name is not a JSON object.
    """
    name, _, after = text.strip().partition(" ")
    name = name.partition(":")[2]
    if not after.strip():
        return name, {}
    try:
        options = json.loads(after)
    except ValueError as error:
        raise UsageError(_how_to_write(text, str(error))) from error
    if not isinstance(options, dict):
        raise UsageError(_how_to_write(text, f"it is {after.strip()!r:.60}"))
    return name, options


def join_id(kind: str, name: str, options: Options) -> str:
    """Return the text of an id: `split_id` reads it again. Options that are None are left out."""
    given = {key: value for key, value in options.items() if value is not None}
    end = f" {json.dumps(given, sort_keys=True)}" if given else ""
    return f"{kind}:{name}{end}"


def with_options(text: str, options: Options) -> str:
    """Return an id with further options, which replace those of the same name.

    Raises:
        UsageError: The id's own options are not a JSON object.
    """
    kind = kind_of_id(text)
    assert kind is not None
    name, known = split_id(text)
    given = {key: value for key, value in options.items() if value is not None}
    return join_id(kind, name, {**known, **given})


def _how_to_write(text: str, reason: str) -> str:
    return (
        f"After the name in {text!r:.120} there must be a JSON object of options, as in"
        f' gym:Hopper-v5 {{"fitness": "env_return"}}: {reason}.'
    )

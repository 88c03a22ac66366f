"""A measure of the user's own, `FILE.py:FUNCTION`. It is trusted code and runs in this process."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from eureka_agent.errors import TaskError, UsageError
from eureka_agent.tasks.source_lines import broken
from eureka_agent.tasks.task import State
from eureka_agent.text import one_line
from eureka_agent.utils.did_you_mean import did_you_mean

MeasureFunction: TypeAlias = Callable[[State], Tensor]
"""`function(state)` returns `(num_envs,)`: what the step adds to the episode's fitness."""

_LONGEST_SUMMARY = 200


def load_measure(path: str, name: str) -> tuple[MeasureFunction, str]:
    """Run a file and return one of its functions.

    Args:
        path: The file.
        name: The name of the function.

    Returns:
        The function, and `FILE.py:FUNCTION` with the file's absolute path.

    Raises:
        UsageError: There is no such file.
        TaskError: The file has a mistake, or no such function.
    """
    file = Path(path).expanduser().resolve()
    if not file.is_file():
        raise UsageError(f"There is no file {file}: --fitness takes FILE.py:FUNCTION.")
    module = f"eureka_agent_fitness_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(module, file)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded
    try:
        spec.loader.exec_module(loaded)
    except (Exception, SystemExit) as error:
        del sys.modules[module]
        raise broken(error, "it cannot be loaded", file.parent, f"{file}:1") from error
    function = vars(loaded).get(name)
    if not callable(function):
        functions = [key for key, value in vars(loaded).items() if callable(value)]
        raise TaskError(
            f"{file}:1: it has no function {name!r}.{did_you_mean(name, functions)} Write"
            f" def {name or 'fitness'}(state): … and return a tensor of one number per environment."
        )
    return function, f"{file}:{name}"


def checked_measure(function: MeasureFunction, state: State, num_envs: int, place: str) -> Tensor:
    """Return `function(state)`, `(num_envs,)` float32.

    Raises:
        TaskError: It fails, or does not return one finite number per environment.
    """
    try:
        value = function(state)
    except Exception as error:
        file = Path(place.rpartition(":")[0])
        raise broken(error, f"{function.__name__}() failed", file.parent, place) from error
    if not isinstance(value, Tensor) or value.shape != (num_envs,):
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise TaskError(
            f"{place}: it returned {shape}: return a tensor of shape ({num_envs},), one number per"
            " environment."
        )
    value = value.to(torch.float32)
    if not value.isfinite().all():
        raise TaskError(
            f"{place}: it returned numbers that are not finite: check for divisions by 0."
        )
    return value


def summary_of(function: MeasureFunction) -> str:
    """Return what a function measures: the first line of its docstring, else its name in words."""
    first = (function.__doc__ or "").strip().partition("\n")[0].strip().rstrip(".")
    if first:
        return one_line(first, _LONGEST_SUMMARY)
    words = function.__name__.replace("_", " ").strip()
    return f"sum of {words} over the steps of the episode"

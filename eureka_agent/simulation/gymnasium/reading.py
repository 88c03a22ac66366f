"""How a reward's state is read in an environment of Gymnasium, step by step.

A reading is text, Python expressions by name, because the same text runs here and is written into
the files of `eureka-agent export --format gymnasium`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from eureka_agent.errors import UsageError
from eureka_agent.simulation.gymnasium import model_quantities

if TYPE_CHECKING:  # tasks have readings, and most runs need no environment of Gymnasium
    from eureka_agent.simulation.gymnasium.reward_wrapper import Read

_FUNCTIONS = frozenset(
    "linear_velocity angular_velocity touches contact_force net_contact_force".split()
)
"""What expressions may call of `model_quantities`."""
_GIVEN = frozenset({"action", "episode_time"})
"""State that `StateReader` adds."""


@dataclass(frozen=True)
class GymnasiumReading:
    """The environment of a task, and its state as expressions. They are trusted code."""

    environment: str
    """Its id, for `gymnasium.make`."""
    expressions: Mapping[str, str]
    """State variables by name, as expressions of `env` (unwrapped), `observation` (flattened),
    `action` (entries as rewards read them), `info`, `np`, and for MuJoCo's environments `data`
    (`model_quantities.forwarded`) and the functions of `model_quantities`. An entry of `info` may
    be missing after a reset: `info.get(...)`."""
    dt_s: float
    """Seconds per step."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Arguments for `gymnasium.make`."""

    def source(self, reads: Iterable[str]) -> str:
        """Return the source of `read_state`; with MuJoCo, it needs `model_quantities`.

        Args:
            reads: The tensors that a reward reads, `prev_<name>` included.

        Raises:
            UsageError: Some of them have no expression.
        """
        reads = tuple(reads)
        names = self._read(reads)
        lines = [
            "def read_state(env, observation, action, info):",
            '    """Return the state that the reward reads, in one environment after a step."""',
            *(["    data = forwarded(env)"] if self._uses(reads, {"data"}) else []),
            "    return {",
            *(f'        "{name}": {self.expressions[name]},' for name in names),
            "    }",
        ]
        return "\n".join(lines) + "\n"

    def read(self, reads: Iterable[str]) -> Read:
        """Return `read_state` as a function. Raises UsageError as `source` does."""
        namespace: dict[str, Any] = {**vars(model_quantities), "np": np}
        exec(compile(self.source(reads), "<read_state>", "exec"), namespace)
        function: Read = namespace["read_state"]
        return function

    def needs_environment(self, reads: Iterable[str]) -> bool:
        """Whether reading needs the environment object itself. Raises UsageError."""
        reads = tuple(reads)
        return self._uses(reads, {"env"}) or self.needs_model(reads)

    def needs_model(self, reads: Iterable[str]) -> bool:
        """Whether reading needs `model_quantities`. Raises UsageError."""
        return self._uses(reads, {"data", *_FUNCTIONS})

    def _uses(self, reads: Iterable[str], names: Set[str]) -> bool:
        return any(names & _names(self.expressions[one]) for one in self._read(reads))

    def _read(self, reads: Iterable[str]) -> list[str]:
        """Return the variables to read for `reads`. Raises UsageError."""
        names = dict.fromkeys(
            name if name in self.expressions else name.removeprefix("prev_") for name in reads
        )
        missing = [name for name in names if name not in self.expressions and name not in _GIVEN]
        if missing:
            raise UsageError(
                f"The reward reads {', '.join(missing)}, which cannot be read in Gymnasium's"
                f" {self.environment}: use a reward that reads only"
                f" {', '.join([*self.expressions, *sorted(_GIVEN)])} and prev_ of them."
            )
        return [name for name in names if name in self.expressions]


@runtime_checkable
class SupportsGymnasium(Protocol):
    """A task whose state can be read in an environment of Gymnasium."""

    @property
    def gymnasium_reading(self) -> GymnasiumReading:
        """How."""
        ...


def reading_of(task: object, name: str) -> GymnasiumReading:
    """Return how a task's state is read in Gymnasium.

    Args:
        task: The task.
        name: What messages call it.

    Raises:
        UsageError: It has no environment of Gymnasium.
    """
    if isinstance(task, SupportsGymnasium):
        return task.gymnasium_reading
    raise UsageError(
        f"The task {name} has no environment of Gymnasium, so its rewards cannot be paid there: use"
        " a task such as gym:Hopper-v5, or call the reward with the state yourself."
    )


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def module_source(module: ModuleType) -> str:
    """Return the source of a module without its docstring and `__future__` import."""
    text = inspect.getsource(module)
    tree = ast.parse(text)
    first = next(
        node
        for node in tree.body[1:]
        if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")
    )
    return "".join(text.splitlines(keepends=True)[first.lineno - 1 :])

"""Find the task's state in what a reward of one environment reads: `self.cubeA.pose.p`."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from functools import lru_cache

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_SAME = {
    "p": "position",
    "pos": "position",
    "positions": "position",
    "vel": "velocity",
    "velocities": "velocity",
}
_MAX_PARTS = 6
_CONTAINERS = frozenset({"robot", "agent", "env", "unwrapped", "data", "pose", "state"})
"""Objects that hold others: their names may be missing on one side."""


def state_named(parts: Sequence[str], names: Collection[str]) -> str | None:
    """Return the name that a chain of attributes means, or None unless there is exactly one.

    Args:
        parts: The chain without `self`: `("cubeA", "pose", "p")`.
        names: What the task has.

    Returns:
        One of `names`: `cubeA_pos` or `cube_a_position`.
    """
    if len(parts) == 1 and parts[0] in names:
        return parts[0]
    words = _words(tuple(parts))
    short = _without_containers(words)
    known = {name: _words((name,)) for name in names}
    same = [name for name, other in known.items() if other == words]
    if not same and short:
        same = [name for name, other in known.items() if _without_containers(other) == short]
    return same[0] if len(same) == 1 else None


@lru_cache(4096)
def _words(parts: tuple[str, ...]) -> tuple[str, ...]:
    found = [word.lower() for part in parts for word in _WORD.findall(part)]
    return tuple(_SAME.get(word, word) for word in found)


def _without_containers(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in _CONTAINERS)


class StateReads(ast.NodeTransformer):
    """Replaces what is read of objects with the task's state."""

    def __init__(self, objects: Collection[str], names: Collection[str]) -> None:
        """`objects`: parameters that the task does not have. `names`: what the task has."""
        self._objects = objects
        self._names = names
        self.read: dict[str, list[ast.Name]] = {}
        """The new names by state variable."""
        self.unknown: dict[str, None] = {}
        """What the task does not have, as it is written."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Replace the longest part of `a.b.c` that is known."""
        return self._visited(node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a parameter that has another name in the task."""
        return self._visited(node)

    def _visited(self, node: ast.Attribute | ast.Name) -> ast.expr:
        parts = _chain(node)
        if not parts or parts[0] not in self._objects or isinstance(node.ctx, ast.Store):
            return self.generic_visit(node)  # type: ignore[return-value]  # the node itself
        for length in range(min(len(parts), _MAX_PARTS), 0, -1):
            if name := state_named(parts[:length], self._names):
                return self._replaced(node, name, parts[length:])
        self.unknown[".".join(parts)] = None
        return node

    def _replaced(self, node: ast.expr, name: str, rest: Sequence[str]) -> ast.expr:
        read = ast.Name(name, ast.Load())
        self.read.setdefault(name, []).append(read)
        new: ast.expr = ast.copy_location(read, node)
        for attribute in rest:
            new = ast.copy_location(ast.Attribute(new, attribute, ast.Load()), node)
        return new


def _chain(node: ast.expr) -> tuple[str, ...]:
    """Return `("a", "b")` for `a.b`; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return (node.id, *parts) if isinstance(node, ast.Name) else ()

"""The variables of a function that is translated, and the statements that assign them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace

from eureka_agent.extract.single_environment.elementwise import where
from eureka_agent.extract.single_environment.expressions import Expressions
from eureka_agent.extract.single_environment.values import UntranslatableError, Value, as_float


@dataclass
class Written:
    """What a reward and the helpers that are written out in it share."""

    taken: set[str]
    """Names that new variables may not have."""
    done: list[ast.stmt] = field(default_factory=list)
    """The new statements."""
    calls: int = 0
    """Calls of helpers so far."""


class Variables:
    """Writes assignments; in a branch, they change only where the branch's condition holds."""

    def __init__(self, expressions: Expressions, written: Written, helper: str | None) -> None:
        """`helper`: the name of the helper whose variables these are, or None for the reward's."""
        self.condition: Value | None = None
        """Of the current branch, `(num_envs,)` bool; None outside of branches."""
        self._expressions = expressions
        self._known = expressions.variables
        self._written = written
        self._helper = helper
        self._own: set[str] = set()

    def set(self, node: ast.stmt, name: str, value: Value) -> None:
        """Assign where the current condition holds."""
        before = self._known.get(name)
        if self.condition is not None and before is not None:
            if before.rank != value.rank:
                raise UntranslatableError(
                    node, f"{name} is a number in one branch and an array in another: use two names"
                )
            value = where(self.condition, value, before)
        self._write(name, value)

    def _write(self, name: str, value: Value) -> None:
        target = self._target(name)
        self._expressions.dictionaries.pop(name, None)
        self._written.taken.add(target)
        if isinstance(value.code, ast.Constant) and type(value.code.value) is int:
            value = replace(value, code=ast.Constant(float(value.code.value)))
        self._written.done.append(ast.Assign([ast.Name(target, ast.Store())], value.code, lineno=1))
        self._known[name] = replace(value, code=ast.Name(target, ast.Load()))

    def _target(self, name: str) -> str:
        """Return the name of a variable in the new function; those of helpers get new names."""
        if self._helper is None:
            return name
        known = self._known.get(name)
        if name in self._own and known is not None and isinstance(known.code, ast.Name):
            return known.code.id
        self._own.add(name)
        return self._free(f"{self._helper}_{name}")

    def kept(self, kind: str, value: Value) -> Value:
        """Return a value that a new variable holds."""
        if isinstance(value.code, ast.Constant):
            return value
        name = self._numbered(kind)
        self._write(name, value)
        return self._known[name]

    def _numbered(self, kind: str) -> str:
        number = 1
        taken = self._written.taken | self._known.keys()
        while f"{kind}_{number}" in taken:
            number += 1
        return f"{kind}_{number}"

    # ------------------------------------------------------------------ components
    def assign_dictionary(self, node: ast.stmt, name: str, value: ast.Dict) -> None:
        """Assign a dictionary: each entry becomes a variable."""
        if self.condition is not None:
            raise UntranslatableError(node, "make the dictionary of components outside of if")
        self._expressions.dictionaries[name] = {}
        for key, one in self.entries(value):
            self.set_entry(node, name, key, one)

    def entries(self, node: ast.Dict) -> list[tuple[str, Value]]:
        """Return the keys and values of a dictionary. Raises UntranslatableError."""
        entries: list[tuple[str, Value]] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                raise UntranslatableError(node, "name components by strings that are written out")
            entries.append((key.value, self._expressions.value(value)))
        return entries

    def set_entry(self, node: ast.stmt, name: str, key: str, value: Value) -> None:
        """Assign an entry of a dictionary."""
        entries = self._expressions.dictionaries[name]
        if key not in entries:
            entries[key] = self._free(f"{name}_{key}" if key.isidentifier() else f"{name}_entry")
            if self.condition is not None:
                self._write(entries[key], Value(ast.Constant(0.0), "number"))
        self.set(node, entries[key], as_float(value))

    def _free(self, name: str) -> str:
        while name in self._written.taken:
            name += "_"
        self._written.taken.add(name)
        return name

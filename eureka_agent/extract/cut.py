"""Keeping of a module what its reward function reads, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from eureka_agent.checks.imports import is_listed
from eureka_agent.checks.names import MODULES, TYPING_MODULES
from eureka_agent.extract.header import GIVEN, helpers
from eureka_agent.extract.names import Import, alias_name, bound_names, code_names

_ISAAC_GYM = frozenset(
    {"isaacgym.torch_utils", "isaacgymenvs.utils.torch_jit_utils", "utils.torch_jit_utils"}
)
"""Their star imports are dropped; `header.py` has what rewards use of them."""


@dataclass(frozen=True)
class _Kept:
    """One statement, and whether it stays, as it is or with other words."""

    node: ast.stmt
    new: ast.stmt | None
    """None where it goes; another node than `node` where it is written anew."""


def cut(code: str, tree: ast.Module, entry: ast.FunctionDef) -> str:
    """Return `code` with the function `entry` and the functions, constants and imports that it
    reads.

    Comments stay with what they stand above. Raises RecursionError for code that is nested too
    deeply.
    """
    needed = _Needed(tree, entry)
    kept = [_Kept(node, needed.part_of(node)) for node in tree.body]
    if all(one.new is one.node for one in kept):
        return code
    if _share_lines(tree.body):
        return ast.unparse(ast.Module([one.new for one in kept if one.new], [])) + "\n"
    return _joined(code.split("\n"), kept)


def lines_of(node: ast.stmt) -> range:
    """Return the line numbers of a statement and its decorators."""
    decorators = getattr(node, "decorator_list", ())
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return range(first, (node.end_lineno or node.lineno) + 1)


class _Needed:
    """Which statements of a module one function needs."""

    def __init__(self, tree: ast.Module, entry: ast.FunctionDef) -> None:
        self._first = tree.body[0]
        self._binders: dict[str, list[ast.stmt]] = {}
        for statement in tree.body:
            for name in bound_names(statement):
                self._binders.setdefault(name, []).append(statement)
        self._names: set[str] = set()
        self._statements = {id(entry)}
        self._unknown = False
        self._follow(entry, GIVEN | helpers().keys() if _of_isaac_gym(tree) else GIVEN)

    def _follow(self, entry: ast.FunctionDef, given: frozenset[str]) -> None:
        """Go from the function to what it reads, to what that reads, and so on; `given` need not be
        defined."""
        waiting = [entry.name, *code_names(entry)]
        while waiting:
            name = waiting.pop()
            if name in self._names:
                continue
            self._names.add(name)
            self._unknown = self._unknown or (name not in self._binders and name not in given)
            for statement in _last_meaning(self._binders.get(name, []), name):
                if id(statement) not in self._statements:
                    self._statements.add(id(statement))
                    waiting += code_names(statement)

    def part_of(self, node: ast.stmt) -> ast.stmt | None:
        """Return `node`, a smaller import in its place, or None."""
        if isinstance(node, Import):
            return self._part_of_import(node)
        docstring = (
            node is self._first
            and isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
        )
        return node if docstring or id(node) in self._statements else None

    def _part_of_import(self, node: Import) -> Import | None:
        kept = [alias for alias in node.names if self._needs(node, alias)]
        if len(kept) == len(node.names):
            return node
        if not kept:
            return None
        if isinstance(node, ast.Import):
            return ast.copy_location(ast.Import(kept), node)
        return ast.copy_location(ast.ImportFrom(node.module, kept, node.level), node)

    def _needs(self, node: Import, alias: ast.alias) -> bool:
        module = node.module or "" if isinstance(node, ast.ImportFrom) else alias.name
        if module == "__future__":
            return True
        if alias.name == "*":  # it may be where a name comes from that nothing else defines
            return self._unknown and module not in _ISAAC_GYM
        name = alias_name(alias)
        if module in _ISAAC_GYM and name == alias.name:
            return False
        return name in self._names or (_is_allowed(node, alias) and module != "numpy")


def _is_allowed(node: Import, alias: ast.alias) -> bool:
    """Whether a reward may have an import, read or not."""
    if isinstance(node, ast.Import):
        return alias.name in MODULES.keys() | TYPING_MODULES
    module = node.module or ""
    return not node.level and (module in TYPING_MODULES or is_listed(module, alias.name))


def _of_isaac_gym(tree: ast.Module) -> bool:
    """Whether a module has Isaac Gym's helpers, whose quaternions are those of `header.py`."""
    return any(isinstance(node, ast.ImportFrom) and node.module in _ISAAC_GYM for node in tree.body)


def _last_meaning(binders: Sequence[ast.stmt], name: str) -> list[ast.stmt]:
    """Return the statements that make a name what it is in the end; of several functions that is
    the last."""
    others = [node for node in binders if not _compiles(node, name)]
    if all(isinstance(node, ast.FunctionDef) for node in others):
        return others[-1:]
    return others


def _compiles(node: ast.stmt, name: str) -> bool:
    """Whether a statement is `name = torch.jit.script(name)`, which changes nothing."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return False
    call = node.value
    same = len(call.args) == 1 and isinstance(call.args[0], ast.Name) and call.args[0].id == name
    return same and isinstance(call.func, ast.Attribute) and call.func.attr == "script"


def _share_lines(body: Sequence[ast.stmt]) -> bool:
    return any(lines_of(after)[0] <= lines_of(before)[-1] for before, after in pairwise(body))


def _joined(lines: Sequence[str], statements: Sequence[_Kept]) -> str:
    """Return the lines of what stays, each statement with the comments above it."""
    text: list[str] = []
    end = 0
    for one in statements:
        span = lines_of(one.node)
        above = lines[end : span[0] - 1]
        end = span[-1]
        if one.new is one.node:
            text += [*above, *lines[span[0] - 1 : end]]
        elif one.new is not None:
            text += [*above, ast.unparse(one.new)]
        elif one is statements[0]:
            text += above  # the head of a file: who wrote it, and under which terms
    if statements[-1].new is not None:
        text += lines[end:]
    return "\n".join(text).strip("\n") + "\n"

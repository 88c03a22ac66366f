"""Cut a module down to its reward function and what that function reads."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from eureka_agent.checks.imports import is_listed
from eureka_agent.checks.names import MODULES, TYPING_MODULES
from eureka_agent.extract.header import PREDEFINED, helpers
from eureka_agent.extract.names import Import, alias_name, bound_names, code_names

_ISAAC_GYM = frozenset(
    {"isaacgym.torch_utils", "isaacgymenvs.utils.torch_jit_utils", "utils.torch_jit_utils"}
)
"""Star imports from these are dropped; `header.py` has what rewards use of them."""


@dataclass(frozen=True)
class _Cut:
    """One statement and what replaces it."""

    node: ast.stmt
    new: ast.stmt | None
    """`node` itself if it stays, another node if it is rewritten, None if it is removed."""


def cut(code: str, tree: ast.Module, entry: ast.FunctionDef) -> str:
    """Return the function `entry` with the functions, constants and imports that it reads.

    Comments stay with the statement below them. Raises RecursionError for code that is nested too
    deeply.
    """
    needed = _Needed(tree, entry)
    statements = [_Cut(node, needed.part_of(node)) for node in tree.body]
    if all(one.new is one.node for one in statements):
        return code
    if _share_lines(tree.body):
        return ast.unparse(ast.Module([one.new for one in statements if one.new], [])) + "\n"
    return _joined(code.split("\n"), statements)


def lines_of(node: ast.stmt) -> range:
    """Return the line numbers of a statement and its decorators."""
    decorators = getattr(node, "decorator_list", ())
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return range(first, (node.end_lineno or node.lineno) + 1)


class _Needed:
    """The statements of a module that one function needs."""

    def __init__(self, tree: ast.Module, entry: ast.FunctionDef) -> None:
        self._first = tree.body[0]
        self._binders: dict[str, list[ast.stmt]] = {}
        for statement in tree.body:
            for name in bound_names(statement):
                self._binders.setdefault(name, []).append(statement)
        self._names: set[str] = set()
        self._statements = {id(entry)}
        self._unknown = False
        self._follow(entry, PREDEFINED | helpers().keys() if _uses_isaac_gym(tree) else PREDEFINED)

    def _follow(self, entry: ast.FunctionDef, given: frozenset[str]) -> None:
        """Follow what the function reads, what that reads, and so on, except for `given` names."""
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
        if alias.name == "*":  # it may provide a name that nothing else defines
            return self._unknown and module not in _ISAAC_GYM
        name = alias_name(alias)
        if module in _ISAAC_GYM and name == alias.name:
            return False
        return name in self._names or (_is_allowed(node, alias) and module != "numpy")


def _is_allowed(node: Import, alias: ast.alias) -> bool:
    """Whether the checks allow this import, whether or not it is used."""
    if isinstance(node, ast.Import):
        return alias.name in MODULES.keys() | TYPING_MODULES
    module = node.module or ""
    return not node.level and (module in TYPING_MODULES or is_listed(module, alias.name))


def _uses_isaac_gym(tree: ast.Module) -> bool:
    """Whether a module imports Isaac Gym's helpers, whose quaternions are as in `header.py`."""
    return any(isinstance(node, ast.ImportFrom) and node.module in _ISAAC_GYM for node in tree.body)


def _last_meaning(binders: Sequence[ast.stmt], name: str) -> list[ast.stmt]:
    """Return the statements that define a name in the end; of several functions, the last."""
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


def _joined(lines: Sequence[str], statements: Sequence[_Cut]) -> str:
    """Return the lines of the remaining statements, each with the comments above it."""
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
            text += above  # the head of a file: its author and licence
    if statements[-1].new is not None:
        text += lines[end:]
    return "\n".join(text).strip("\n") + "\n"

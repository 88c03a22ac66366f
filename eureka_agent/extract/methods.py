"""Turn a method into a plain function: the attributes that it reads become parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from eureka_agent.errors import ExtractionError

_SELF = ("self", "cls")
_SAME = frozenset({"env", "_env", "unwrapped"})
"""Attributes that hold the environment itself: `self.env.x` is read as `self.x`."""
_MAX_LISTED = 8


def without_object(function: ast.FunctionDef, name: str) -> bool:
    """Remove the parameter `self` from `function`; return whether it had one.

    Each `self.x` that is read becomes a parameter `x`, also through `env = self.env`. `name` is the
    function's name in messages. Raises ExtractionError if the function calls methods of the object
    or sets its attributes.
    """
    parameters = function.args.posonlyargs or function.args.args
    if not parameters or parameters[0].arg not in _SELF:
        return False
    owner = parameters.pop(0).arg
    aliases = {owner, *_aliases(function, owner)}
    _demand_reads_only(function, aliases, name)
    local = _assigned(function)
    reads = _Reads(aliases)
    reads.visit(function)
    function.body = [node for node in function.body if not isinstance(node, ast.Pass)] or [
        ast.Pass()
    ]
    _rename_conflicts(function, reads, local)
    known = {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
    new = [ast.arg(read) for read in reads.found if read not in known]
    function.args.args[:0] = new
    return True


def _aliases(function: ast.FunctionDef, owner: str) -> Iterator[str]:
    """Yield the local names that stand for the object, as in `env = self.env`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_object(node.value, {owner}):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id


def _is_object(node: ast.expr, aliases: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in aliases
    return (
        isinstance(node, ast.Attribute) and node.attr in _SAME and _is_object(node.value, aliases)
    )


def _assigned(function: ast.FunctionDef) -> set[str]:
    """Return the local names that a function assigns, except `x = self.x` and the like."""
    names: set[str] = set()
    same: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
            same |= {
                id(t) for t in node.targets if isinstance(t, ast.Name) and t.id == node.value.attr
            }
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in same:
            names.add(node.id)
    return names


def _demand_reads_only(function: ast.FunctionDef, aliases: set[str], name: str) -> None:
    """Raise ExtractionError if a method of the object is called, or an attribute is set."""
    calls: dict[str, None] = {}
    sets: dict[str, None] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and _is_attribute(node.func, aliases):
            calls[_written(node.func)] = None
        if (
            isinstance(node, ast.Attribute)
            and _is_attribute(node, aliases)
            and not isinstance(node.ctx, ast.Load)
        ):
            sets[_written(node)] = None
    for what, found, instead in (
        ("calls", calls, "write helpers as functions of the module and pass them what they need"),
        ("sets", sets, "it keeps nothing between calls, so use local variables"),
    ):
        if found:
            listed = ", ".join(one[:60] for one in [*found][:_MAX_LISTED])
            raise ExtractionError(
                f"{name} {what} {listed}, but it is a plain function without an object: {instead}."
            )


def _is_attribute(node: ast.AST, aliases: set[str]) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr not in _SAME
        and _is_object(node.value, aliases)
    )


def _written(node: ast.AST) -> str:
    assert isinstance(node, ast.Attribute)
    owner = node.value.id if isinstance(node.value, ast.Name) else "self"
    return f"{owner}.{node.attr}"


class _Reads(ast.NodeTransformer):
    """Replaces `self.x` with `x` and drops `env = self.env`."""

    def __init__(self, aliases: set[str]) -> None:
        self._aliases = aliases
        self.found: dict[str, list[ast.Name]] = {}

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        if _is_object(node.value, self._aliases) and all(
            isinstance(t, ast.Name) for t in node.targets
        ):
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)  # type: ignore[return-value]  # the node itself

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if not _is_attribute(node, self._aliases):
            return self.generic_visit(node)  # type: ignore[return-value]  # the node itself
        name = ast.copy_location(ast.Name(node.attr, ast.Load()), node)
        self.found.setdefault(node.attr, []).append(name)
        return name


def _rename_conflicts(function: ast.FunctionDef, reads: _Reads, local: set[str]) -> None:
    """Copy a new parameter into another variable if the function assigns to its name."""
    taken = local | {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    for name in sorted(reads.found.keys() & local):
        other = f"state_{name}"
        while other in taken:
            other += "_"
        for node in reads.found[name]:
            node.id = other
        keep = ast.Assign([ast.Name(other, ast.Store())], ast.Name(name, ast.Load()))
        function.body.insert(0, ast.fix_missing_locations(ast.copy_location(keep, function)))

"""Find names that a source reads but does not define."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_Scope = ast.Module | ast.FunctionDef | ast.Lambda


def undefined_names(scope: _Scope, known: frozenset[str]) -> Iterator[ast.Name]:
    """Yield the names read in `scope` that neither it, its enclosing scopes nor `known` bind.

    The order of statements is ignored, and a comprehension's variable counts as one of its
    function.
    """
    own = list(_own_nodes(scope))
    known = known | frozenset(_bound(scope, own))
    for node in own:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in known:
            yield node
        elif isinstance(node, ast.FunctionDef | ast.Lambda):
            yield from undefined_names(node, known)


def own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of a function's body, without those of nested functions."""
    return _own_nodes(function)


def _own_nodes(scope: _Scope) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = [scope.body] if isinstance(scope, ast.Lambda) else list(scope.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.ClassDef):  # refused as a whole
            continue
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting += node.args.defaults + [
                default for default in node.args.kw_defaults if default
            ]
        else:
            waiting += ast.iter_child_nodes(node)


def _bound(scope: _Scope, own: list[ast.AST]) -> Iterator[str]:
    if not isinstance(scope, ast.Module):
        arguments = scope.args
        yield from (
            argument.arg for argument in ast.walk(arguments) if isinstance(argument, ast.arg)
        )
    for node in own:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler):
            yield node.name or ""
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id

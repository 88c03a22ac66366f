"""Find the names of its module that a statement reads and binds."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from eureka_agent.checks.decorators import is_dropped
from eureka_agent.checks.scopes import undefined_names
from eureka_agent.checks.stripping import strip

Import = ast.Import | ast.ImportFrom
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Closed = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def code_names(statement: ast.stmt) -> set[str]:
    """Return the names of its module that a statement reads, function bodies included.

    Annotations and dropped decorators do not count. Raises RecursionError.
    """
    alone = ast.Module([copy.deepcopy(statement)], [])
    read = {node.id for node in undefined_names(strip(alone), frozenset())}
    if not isinstance(statement, Import):
        read -= {name for node in ast.walk(statement) for name in _imported(node)}
    for node in ast.walk(statement):
        for decorator in getattr(node, "decorator_list", ()):
            if not is_dropped(decorator):
                read |= names_in(decorator)
    return read


def annotation_names(statement: ast.stmt) -> set[str]:
    """Return the names that the annotations inside a statement read, also those in strings."""
    read: set[str] = set()
    for annotation in _annotations(statement):
        read |= names_in(annotation)
        for node in ast.walk(annotation):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                read |= _names_in_string(node.value)
    return read


def _annotations(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield every annotation inside `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            yield node.returns
        elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation


def bound_names(statement: ast.stmt) -> set[str]:
    """Return the names of its module that a statement binds or changes (`x[0] = 1`)."""
    names: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _Definition):
            names.add(node.name)
            continue
        if isinstance(node, _Closed):
            continue
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(
            node.ctx, ast.Store
        ):
            names.add(_root(node))
        names |= _imported(node)
        waiting += ast.iter_child_nodes(node)
    return names - {""}


def names_in(node: ast.AST) -> set[str]:
    """Return the names that occur in a piece of code."""
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def alias_name(alias: ast.alias) -> str:
    """Return the name that an import binds."""
    return (alias.asname or alias.name).split(".")[0]


def _imported(node: ast.AST) -> set[str]:
    if not isinstance(node, Import):
        return set()
    return {alias_name(alias) for alias in node.names} - {"*"}


def _root(target: ast.expr) -> str:
    while isinstance(target, ast.Subscript | ast.Attribute):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def _names_in_string(text: str) -> set[str]:
    try:
        return names_in(ast.parse(text, mode="eval"))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return set()

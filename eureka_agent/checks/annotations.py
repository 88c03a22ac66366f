"""Check annotations: they are dropped before a reward runs, but importing its file runs them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from eureka_agent.checks.findings import CheckFindings

_ALLOWED = (
    ast.Name
    | ast.Attribute
    | ast.Subscript
    | ast.Tuple
    | ast.List
    | ast.Constant
    | ast.BinOp
    | ast.BitOr
    | ast.Load
)


def check_annotations(tree: ast.Module, findings: CheckFindings) -> None:
    """Refuse annotations other than names, `a.b`, `a[b]` and `a | b`, also inside strings."""
    for annotation in _annotations(tree):
        if not all(_is_type(node) for node in _with_strings(annotation)):
            findings.add(
                annotation, "an annotation must be a type such as Tensor or Dict[str, Tensor]"
            )


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns
        elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation


def _is_type(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return not node.attr.startswith("_")
    if isinstance(node, ast.Name):
        return not node.id.startswith("__")
    return isinstance(node, _ALLOWED)


def _with_strings(annotation: ast.expr) -> Iterator[ast.AST]:
    """Yield the nodes of an annotation and of the annotations inside its strings."""
    waiting: list[ast.AST] = [annotation]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            waiting += _parsed(node.value)


def _parsed(text: str) -> list[ast.AST]:
    """Return the expression in a string; nothing if it holds none, since it cannot be run."""
    try:
        return [ast.parse(text.strip(), mode="eval").body]
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return []

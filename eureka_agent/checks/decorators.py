"""Decorators that a reward's functions may have: those that do not change a pure function."""

from __future__ import annotations

import ast

from eureka_agent.checks.findings import CheckFindings
from eureka_agent.checks.names import DECORATORS


def check_decorators(tree: ast.Module, findings: CheckFindings) -> None:
    """Refuse decorators that could change what a function computes."""
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", ()):
            if not is_dropped(decorator):
                name = written(decorator)
                findings.add(decorator, f"the decorator @{name[:60]} is not allowed: remove it")


def is_dropped(decorator: ast.expr) -> bool:
    """Whether a decorator is accepted, and dropped with the annotations."""
    return written(decorator) in DECORATORS


def written(node: ast.expr) -> str:
    """Return a dotted name, or a call of one, as it is written; anything else becomes `...`.

    Unlike `ast.unparse` it never fails on numbers with thousands of digits.
    """
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{written(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        inside = "..." if node.args or node.keywords else ""
        return f"{written(node.func)}({inside})"
    return "..."

"""The walk over a stripped source: every node, name, attribute and keyword must be in the tables."""

from __future__ import annotations

import ast

from eureka_agent.checks.findings import Findings
from eureka_agent.checks.imports import Imports
from eureka_agent.checks.names import (
    BUILTINS,
    DECORATORS,
    KEYWORDS_REFUSED,
    METHODS,
    MODULES,
    NAME_HINTS,
    NODE_HINTS,
    NODES,
)
from eureka_agent.checks.scopes import undefined_names
from eureka_agent.suggest import did_you_mean


def check_decorators(tree: ast.Module, findings: Findings) -> None:
    """Refuse decorators that could change what a function computes."""
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", ()):
            name = _written(decorator)
            if name not in DECORATORS:
                findings.add(decorator, f"the decorator @{name[:60]} is not allowed: remove it")


def _written(node: ast.AST) -> str:
    """Return a node as source; Python writes no integer of more than 4,300 digits."""
    try:
        return ast.unparse(node)
    except ValueError:
        return type(node).__name__


def check_module_level(tree: ast.Module, findings: Findings) -> None:
    """Only functions, constants and docstrings may stand outside functions."""
    for statement in tree.body:
        if type(statement).__name__ not in NODES:
            continue  # `Rules` says what to write instead
        constant = isinstance(statement, ast.Assign) and _is_constant(statement.value)
        text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not (constant or text or isinstance(statement, ast.FunctionDef | ast.Pass)):
            findings.add(statement, "only imports, functions and constants may stand outside functions")


def _is_constant(value: ast.expr) -> bool:
    """A number, text, `math.pi`, or arithmetic and lists of these."""
    allowed = (
        ast.Constant | ast.Attribute | ast.Name | ast.UnaryOp | ast.BinOp | ast.Tuple | ast.List | ast.Dict
        | ast.operator | ast.unaryop | ast.expr_context
    )  # fmt: skip
    return all(isinstance(node, allowed) for node in ast.walk(value))


def check_names(tree: ast.Module, imports: Imports, available: frozenset[str], findings: Findings) -> None:
    """Every name that is read must be defined; `available` are names that would exist as parameters."""
    known = BUILTINS | imports.paths.keys()
    for node in undefined_names(tree, known):
        if node.id in available:
            hint = f"{node.id!r} is used but is no parameter here: add it to the parameters"
        elif node.id in MODULES:
            hint = f"{node.id!r} is used but not imported"
        elif node.id in NAME_HINTS:
            hint = f"{node.id!r} is not allowed: {NAME_HINTS[node.id]}"
        else:
            hint = f"{node.id!r} is not defined, or not allowed in a reward"
        findings.add(node, hint)


class Rules(ast.NodeVisitor):
    """Visits a stripped tree and notes whatever the tables do not list."""

    def __init__(self, tree: ast.Module, imports: Imports, findings: Findings) -> None:
        self._imports = imports
        self._findings = findings
        self._functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}

    def visit(self, node: ast.AST) -> None:
        """Check one node and what is inside it; nothing inside a refused node is looked at."""
        kind = type(node).__name__
        if kind in NODES:
            super().visit(node)
            return
        hint = f": {NODE_HINTS[kind]}" if kind in NODE_HINTS else ""
        self._findings.add(node, f"{_SYNTAX.get(kind, kind)} is not allowed in a reward{hint}")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Functions may not hide an import, and take their arguments by name."""
        self._check_binding(node, node.name, function=True)
        if node.args.vararg or node.args.kwarg:
            self._findings.add(node, f"{node.name}() may not take *args or **kwargs: write the parameters out")
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        """Parameters may not hide an import."""
        self._check_binding(node, node.arg)

    def visit_Name(self, node: ast.Name) -> None:
        """A module is no value, and what is imported or defined keeps its meaning."""
        if isinstance(node.ctx, ast.Store):
            self._check_binding(node, node.id)
        elif self._imports.module(node.id):
            self._findings.add(node, f"the module {node.id!r} may not be used as a value")
        elif node.id.startswith("__"):
            self._findings.add(node, f"{node.id!r} is not allowed in a reward")

    def _check_binding(self, node: ast.AST, name: str, *, function: bool = False) -> None:
        if name.startswith("__"):
            self._findings.add(node, f"{name!r} is not allowed in a reward")
        elif name in self._imports.paths or (name in self._functions and not function):
            self._findings.add(node, f"{name!r} is imported or a function already: use another name")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`torch.name` must be in the module's table, anything else in that of the methods."""
        if not isinstance(node.ctx, ast.Load):
            self._findings.add(node, f"assigning to the attribute .{node.attr} is not allowed")
            return
        module = self._module_of(node.value)
        if module is None:
            self._check_method(node)
            self.visit(node.value)
        elif node.attr not in MODULES[module]:
            self._findings.add(node, _refused_of_module(module, node.attr))

    def _module_of(self, node: ast.expr) -> str | None:
        """Return the dotted module that an expression names, or None."""
        if isinstance(node, ast.Name):
            return self._imports.module(node.id)
        if isinstance(node, ast.Attribute) and (parent := self._module_of(node.value)):
            path = f"{parent}.{node.attr}"
            return path if path in MODULES else None
        return None

    def _check_method(self, node: ast.Attribute) -> None:
        name = node.attr
        if name in METHODS:
            return
        if name.endswith("_") and not name.startswith("_"):
            reason = f"it changes a tensor in place, so use .{name[:-1]}() and assign the result"
        elif name in NAME_HINTS:
            reason = NAME_HINTS[name]
        else:
            near = did_you_mean(name, METHODS, limit=1)
            reason = f"it is not in the list of tensor methods that rewards may use.{near}"
        self._findings.add(node, f".{name} is not allowed: {reason}")

    def visit_keyword(self, node: ast.keyword) -> None:
        """`out=` and its like write into arguments; `**` could hide them."""
        if node.arg is None:
            self._findings.add(node, "** in a call is not allowed: write the arguments out")
        elif node.arg in KEYWORDS_REFUSED:
            self._findings.add(node, f"the argument {node.arg}= is not allowed in a reward")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Numbers, texts, booleans and None."""
        if isinstance(node.value, bytes | complex):
            kind = type(node.value).__name__
            self._findings.add(node, f"{kind} constants are not allowed in a reward")

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        """Format specifications can reach attributes, so f-strings have none."""
        if node.format_spec is not None:
            self._findings.add(node, "a format after ':' in an f-string is not allowed: drop it")
        self.visit(node.value)

    def visit_With(self, node: ast.With) -> None:
        """Only `with torch.no_grad():`."""
        if [_written(item) for item in node.items] != ["torch.no_grad()"]:
            self._findings.add(node, "'with' is not allowed in a reward, except 'with torch.no_grad():'")
        self.generic_visit(node)


_SYNTAX = {
    "While": "'while'", "Try": "'try'", "TryStar": "'try'", "Raise": "'raise'", "ClassDef": "'class'",
    "Global": "'global'", "Nonlocal": "'nonlocal'", "Yield": "'yield'", "Await": "'await'", "Match": "'match'",
    "AsyncFunctionDef": "'async def'", "Starred": "'*' before a value", "NamedExpr": "':='", "Delete": "'del'",
}  # fmt: skip


def _refused_of_module(module: str, name: str) -> str:
    if module == "numpy":
        instead = f"use torch.{name}" if name in MODULES["torch"] else "stay in torch"
        return f"numpy's {name} is not allowed: {instead}"
    if name in NAME_HINTS:
        return f"{module}.{name} is not allowed: {NAME_HINTS[name]}"
    if name.endswith("_"):
        return f"{module}.{name} is not allowed: it changes a tensor in place"
    return f"{module}.{name} is not allowed in a reward.{did_you_mean(name, MODULES[module])}"

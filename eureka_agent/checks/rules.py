"""Walk over a stripped source: every node, name, attribute and keyword must be in the tables."""

from __future__ import annotations

import ast
import builtins

from eureka_agent.checks.decorators import written
from eureka_agent.checks.findings import CheckFindings
from eureka_agent.checks.imports import Imports
from eureka_agent.checks.names import (
    BUILTINS,
    FILLS,
    FRESH,
    KEYWORDS_REFUSED,
    METHODS,
    MODULES,
    NAME_HINTS,
    NODE_HINTS,
    NODES,
    NUMPY,
)
from eureka_agent.checks.scopes import undefined_names
from eureka_agent.utils.did_you_mean import near_names

_TENSOR = "torch.Tensor"
_MAX_BITS = 64


def check_module_level(tree: ast.Module, findings: CheckFindings) -> None:
    """Only functions, constants and docstrings may stand outside functions."""
    for statement in tree.body:
        if type(statement).__name__ not in NODES:
            continue  # `Rules` says what to write instead
        constant = isinstance(statement, ast.Assign) and _is_constant(statement.value)
        text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not (constant or text or isinstance(statement, ast.FunctionDef | ast.Pass)):
            findings.add(
                statement, "only imports, functions and constants may stand outside functions"
            )
        elif isinstance(statement, ast.FunctionDef):
            _check_defaults(statement, findings)


def _check_defaults(function: ast.FunctionDef, findings: CheckFindings) -> None:
    """A default is evaluated when the function is defined, so it must be a constant expression."""
    for default in (*function.args.defaults, *function.args.kw_defaults):
        if default is not None and not _is_constant(default):
            findings.add(
                default, f"the defaults of {function.name}() must be numbers, strings or constants"
            )


def _is_constant(value: ast.expr) -> bool:
    """Whether this is a number, a string, `math.pi`, or arithmetic and lists of these."""
    literal = ast.Constant | ast.Attribute | ast.Name | ast.Tuple | ast.List | ast.Dict
    arithmetic = ast.UnaryOp | ast.BinOp | ast.operator | ast.unaryop
    allowed = literal | arithmetic | ast.expr_context
    return all(isinstance(node, allowed) for node in ast.walk(value))


def check_names(
    tree: ast.Module, imports: Imports, available: frozenset[str], findings: CheckFindings
) -> None:
    """Every name that is read must be defined; `available` could be taken as parameters."""
    known = BUILTINS | imports.paths.keys() | imports.refused
    for node in undefined_names(tree, known):
        findings.add(node, _undefined(node.id, imports, available))


def _undefined(name: str, imports: Imports, available: frozenset[str]) -> str:
    if name in available:
        return f"{name!r} is used but is not a parameter here: add it to the parameters"
    if name in imports.types:
        return f"{name!r} may only be used in annotations"
    if name in MODULES:
        return f"{name!r} is used but not imported: begin with 'import {name}'"
    if name in NAME_HINTS:
        return f"{name!r} is not allowed: {NAME_HINTS[name]}"
    if hasattr(builtins, name) or name.startswith("__"):
        return f"{name!r} is not allowed in a reward"
    return f"{name!r} is not defined: define it in the code"


class Rules(ast.NodeVisitor):
    """Visits a stripped tree and reports everything that the tables do not list."""

    def __init__(self, tree: ast.Module, imports: Imports, findings: CheckFindings) -> None:
        self._imports = imports
        self._findings = findings
        self._functions = {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
        }
        self._bound = self._functions | {
            node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)
        }
        self._bound |= {
            n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }

    def visit(self, node: ast.AST) -> None:
        """Check a node and its children; the children of a refused node are skipped."""
        kind = type(node).__name__
        if kind in NODES:
            super().visit(node)
            return
        hint = f": {NODE_HINTS[kind]}" if kind in NODE_HINTS else ""
        self._findings.add(node, f"{_SYNTAX.get(kind, kind)} is not allowed in a reward{hint}")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Functions may not hide an import or take `*args` or `**kwargs`."""
        self._check_binding(node, node.name, function=True)
        if node.args.vararg or node.args.kwarg:
            self._findings.add(
                node, f"{node.name}() may not take *args or **kwargs: write the parameters out"
            )
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        """Parameters may not hide an import."""
        self._check_binding(node, node.arg)

    def visit_Name(self, node: ast.Name) -> None:
        """A module is not a value, and imported or defined names may not be assigned."""
        if isinstance(node.ctx, ast.Store):
            self._check_binding(node, node.id)
        elif self._imports.module(node.id):
            self._findings.add(node, f"the module {node.id!r} may not be used as a value")
        elif self._is_tensor_class(node):
            self._refuse_tensor_class(node)
        elif node.id.startswith("__"):
            self._findings.add(node, f"{node.id!r} is not allowed in a reward")

    def _check_binding(self, node: ast.AST, name: str, *, function: bool = False) -> None:
        if name.startswith("__"):
            self._findings.add(node, f"{name!r} is not allowed in a reward")
        elif name in self._imports.paths or (name in self._functions and not function):
            self._findings.add(
                node, f"{name!r} is imported or a function already: use another name"
            )

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`torch.name` must be in the module's table, anything else in that of the methods."""
        if not isinstance(node.ctx, ast.Load):
            self._findings.add(node, f"assigning to the attribute .{node.attr} is not allowed")
            return
        path = self._path_of(node)
        module, _, name = path.rpartition(".")
        if self._root(node) in self._imports.refused:
            return  # the import has been reported already
        if self._is_tensor_class(node):
            self._refuse_tensor_class(node)
        elif path.startswith("numpy."):
            if name not in MODULES.get(module, ()):
                self._findings.add(node, _numpy_refusal(path.removeprefix("numpy.")))
        elif self._module_of(node.value) is None:
            self._check_method(node)
            self.visit(node.value)
        elif name not in MODULES[module]:
            self._findings.add(node, _module_refusal(module, name))

    def visit_Call(self, node: ast.Call) -> None:
        """`torch.Tensor` may only be called with a list: sizes give uninitialised memory."""
        if (
            isinstance(node.func, ast.Name)
            and node.func.id == "isinstance"
            and self._is_builtin(node.func.id)
        ):
            node = self._without_tensor_class(node)
        listed = len(node.args) == 1 and isinstance(node.args[0], ast.List) and not node.keywords
        if listed and self._is_tensor_class(node.func):
            self.visit(node.args[0])
        else:
            self.generic_visit(node)

    def _is_builtin(self, name: str) -> bool:
        return name not in self._bound | self._imports.paths.keys()

    def _without_tensor_class(self, call: ast.Call) -> ast.Call:
        """Return `isinstance(x, types)` without the class of tensors among the types."""
        types: list[ast.expr] = []
        for argument in call.args[1:]:
            types += argument.elts if isinstance(argument, ast.Tuple) else [argument]
        others = [node for node in types if not self._is_tensor_class(node)]
        return ast.copy_location(
            ast.Call(call.func, [*call.args[:1], *others], call.keywords), call
        )

    def _is_tensor_class(self, node: ast.expr) -> bool:
        return self._path_of(node) == _TENSOR

    def _refuse_tensor_class(self, node: ast.expr) -> None:
        self._findings.add(
            node,
            "torch.Tensor is for annotations and isinstance: make tensors with torch.tensor or"
            " torch.zeros",
        )

    def _root(self, node: ast.expr) -> str:
        while isinstance(node, ast.Attribute):
            node = node.value
        return node.id if isinstance(node, ast.Name) else ""

    def _path_of(self, node: ast.expr) -> str:
        """Return the dotted path that an expression names; empty if no import begins it."""
        if isinstance(node, ast.Name):
            missing = node.id if node.id in MODULES and node.id not in self._bound else ""
            return self._imports.paths.get(node.id, missing)
        if isinstance(node, ast.Attribute) and (parent := self._path_of(node.value)):
            return f"{parent}.{node.attr}"
        return ""

    def _module_of(self, node: ast.expr) -> str | None:
        """Return the dotted module that an expression names, or None."""
        path = self._path_of(node)
        return path if path in MODULES else None

    def _check_method(self, node: ast.Attribute) -> None:
        name = node.attr
        if name in METHODS or (name in FILLS and _is_fresh(node.value)):
            return
        if name.endswith("_") and not name.startswith("_"):
            reason = f"it changes a tensor in place, so use .{name[:-1]}() and assign the result"
        elif name in NAME_HINTS:
            reason = NAME_HINTS[name]
        else:
            near = near_names(name, METHODS, limit=1)
            reason = f"it is not in the list of tensor methods that rewards may use.{near}"
        self._findings.add(node, f".{name} is not allowed: {reason}")

    def visit_keyword(self, node: ast.keyword) -> None:
        """Arguments such as `out=` write into tensors; `**` could hide them."""
        if node.arg is None:
            self._findings.add(node, "** in a call is not allowed: write the arguments out")
        elif node.arg in KEYWORDS_REFUSED:
            self._findings.add(node, f"the argument {node.arg}= is not allowed in a reward")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Only numbers, strings, booleans and None."""
        if isinstance(node.value, bytes | complex):
            kind = type(node.value).__name__
            self._findings.add(node, f"{kind} constants are not allowed in a reward")
        elif isinstance(node.value, int) and node.value.bit_length() > _MAX_BITS:
            self._findings.add(node, f"integers may have at most {_MAX_BITS} bits")

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        """Format specifications can reach attributes, so f-strings have none."""
        if node.format_spec is not None:
            self._findings.add(node, "a format after ':' in an f-string is not allowed: drop it")
        self.visit(node.value)

    def visit_With(self, node: ast.With) -> None:
        """Only `with torch.no_grad():`."""
        if any(
            written(item.context_expr) != "torch.no_grad()" or item.optional_vars
            for item in node.items
        ):
            self._findings.add(
                node, "'with' is not allowed in a reward, except 'with torch.no_grad():'"
            )
        self.generic_visit(node)


_SYNTAX = {
    "While": "'while'",
    "Try": "'try'",
    "TryStar": "'try'",
    "Raise": "'raise'",
    "ClassDef": "'class'",
    "Global": "'global'",
    "Nonlocal": "'nonlocal'",
    "Yield": "'yield'",
    "Await": "'await'",
    "Match": "'match'",
    "AsyncFunctionDef": "'async def'",
    "Starred": "'*' before a value",
    "NamedExpr": "':='",
    "Delete": "'del'",
}


def _is_fresh(node: ast.expr) -> bool:
    """Whether an expression is a call that returns a new tensor."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in FRESH
    )


def _numpy_refusal(name: str) -> str:
    """Return a message that says what to use instead of numpy's `name`, which may be dotted."""
    *parents, last = name.split(".")
    same = NUMPY.get(last, last)
    if not parents and same in MODULES["torch"]:
        return f"numpy's {name} is not allowed: use torch.{same}"
    if parents == ["linalg"] and last in MODULES["torch.linalg"]:
        return f"numpy's {name} is not allowed: use torch.linalg.{last}(x, dim=-1)"
    reason = NAME_HINTS["random"] if "random" in parents else NAME_HINTS["numpy"]
    return f"numpy's {name} is not allowed: {reason}"


def _module_refusal(module: str, name: str) -> str:
    if name in NAME_HINTS:
        return f"{module}.{name} is not allowed: {NAME_HINTS[name]}"
    if name.endswith("_"):
        return f"{module}.{name} is not allowed: it changes a tensor in place"
    return f"{module}.{name} is not allowed in a reward.{near_names(name, MODULES[module])}"

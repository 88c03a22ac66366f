"""Recognise a reward of one environment, and rewrite its module for all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from eureka_agent.checks.findings import CheckFindings
from eureka_agent.checks.names import ENTRY
from eureka_agent.errors import CheckError
from eureka_agent.extract.blocks import syntax_tree
from eureka_agent.extract.single_environment.expressions import Expressions
from eureka_agent.extract.single_environment.state import StateReads
from eureka_agent.extract.single_environment.statements import Statements
from eureka_agent.extract.single_environment.values import UntranslatableError, Value
from eureka_agent.extract.single_environment.variables import Written

if TYPE_CHECKING:  # task.py needs the physics engine
    from eureka_agent.tasks.task import StateSpec

_MAX_LISTED = 40
_MAX_UNKNOWN = 6
_FLOATS = frozenset({"float", "np.float32", "np.float64"})
_OF_TENSORS = frozenset(
    "abs square sqrt exp log sin cos tanh sigmoid relu pow float bool clamp norm unsqueeze".split()
)
_HEAD = "# Rewritten from a reward of one environment: every tensor has one row per environment."


def translated(code: str, spec: StateSpec) -> str:
    """Return a reward of one environment in torch, for all environments at once.

    A reward is of one environment if it is annotated to return a float (`extract` annotates
    Text2Reward's `compute_dense_reward` like this), does not use torch or methods of tensors, and
    takes no columns (`x[:, 0]`).

    Args:
        code: The source of a module with `compute_reward`, as `extract` returns it.
        spec: The state and constants that the task offers to rewards.

    Returns:
        The new source; `code` itself if it is anything else.

    Raises:
        CheckError: It cannot be rewritten; the message says what to write instead.
    """
    try:
        tree = syntax_tree(code)
        function = _single_environment(tree)
        if function is None:
            return code
        return _Module(tree, function, spec).text()
    except (SyntaxError, RecursionError, ValueError):  # the checks report what is wrong
        return code
    except UntranslatableError as error:
        findings = CheckFindings(code)
        findings.add(error.node, f"this reward of one environment cannot be read: {error}")
        findings.raise_if_any()
        raise


def _single_environment(tree: ast.Module) -> ast.FunctionDef | None:
    entries = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == ENTRY
    ]
    if len(entries) != 1 or not _gives_float(entries[0].returns):
        return None
    modules = _modules(tree)
    nodes = [*ast.walk(entries[0])]
    batched = any(_is_column(node) or _is_of_tensors(node, modules) for node in nodes)
    return None if batched else entries[0]


def _gives_float(annotation: ast.expr | None) -> bool:
    """Whether an annotation is `float`, or a pair that begins with it."""
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.slice
    if isinstance(annotation, ast.Tuple):
        annotation = annotation.elts[0] if annotation.elts else None
    return annotation is not None and ast.unparse(annotation) in _FLOATS


def _is_of_tensors(node: ast.AST, modules: Mapping[str, str]) -> bool:
    """Whether this is a name of torch, or `x.abs()`, which numpy's arrays do not have."""
    if isinstance(node, ast.Name):
        return modules.get(node.id, "").partition(".")[0] == "torch"
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    of_module = isinstance(owner, ast.Name) and owner.id in modules
    return node.func.attr in _OF_TENSORS and not of_module


def _is_column(node: ast.AST) -> bool:
    """Whether this is `x[:, 0]`, which only a batch has."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
        return False
    first = node.slice.elts[0] if node.slice.elts else None
    return isinstance(first, ast.Slice) and not (first.lower or first.upper or first.step)


class _Module:
    """A module with a reward of one environment."""

    def __init__(self, tree: ast.Module, function: ast.FunctionDef, spec: StateSpec) -> None:
        self._tree = tree
        self._spec = spec
        self._function = function
        self._options = dict(_options(function))
        own = [one.arg for one in _arguments(function)]
        self._objects = {one for one in own if one not in {*spec.names, *self._options}}

    def text(self) -> str:
        """Return the source of the new module. Raises CheckError and UntranslatableError."""
        reads = StateReads(self._objects, self._spec.names)
        body = [self._visited(reads, node) for node in self._body()]
        self._demand_known(reads)
        body[:0] = _copies(reads, body)
        state = self._state(body, reads)
        assigned = _names(body, ast.Store)
        tensors = [name for name in state if name in self._spec.shapes and name not in assigned]
        if not tensors:
            raise UntranslatableError(
                self._function, "it reads no state of the task that it does not assign, too"
            )
        expressions = Expressions(_modules(self._tree), ast.Name(tensors[0], ast.Load()))
        expressions.variables.update({name: self._parameter(name) for name in state})
        for name in self._options:
            expressions.variables[name] = Value(ast.Name(name, ast.Load()), "number")
        taken = {*state, "torch", "math"} | _names(body, ast.expr_context)
        written = Written(taken)
        Statements(expressions, written).translate(body)
        return self._written(state, written.done)

    def _body(self) -> list[ast.stmt]:
        """Return the module's constants and helpers, and the function's statements."""
        others = [node for node in self._tree.body if node is not self._function]
        kept = [one for one in others if isinstance(one, ast.Assign | ast.FunctionDef)]
        return [*kept, *self._function.body]

    def _visited(self, reads: StateReads, node: ast.stmt) -> ast.stmt:
        new: ast.stmt = reads.visit(node)
        return new

    def _demand_known(self, reads: StateReads) -> None:
        if not reads.unknown:
            return
        unknown = ", ".join(one[:60] for one in [*reads.unknown][:_MAX_UNKNOWN])
        names = [name for name in self._spec.names if not name.startswith("prev_")]
        listed = ", ".join(names[:_MAX_LISTED])
        raise CheckError(
            f"This reward of one environment reads {unknown}, which this task does not have: read"
            f" self.<name> with one of {listed}, or prev_<name> for a state variable one step"
            " earlier."
        )

    def _state(self, body: Sequence[ast.stmt], reads: StateReads) -> list[str]:
        """Return what the new function takes, in the order of the old one's parameters."""
        own = [one.arg for one in _arguments(self._function)]
        known = [name for name in dict.fromkeys((*own, *reads.read)) if name in self._spec.names]
        read = _names(body, ast.Load)
        return [name for name in known if name in read]

    def _parameter(self, name: str) -> Value:
        code = ast.Name(name, ast.Load())
        shape = self._spec.shapes.get(name)
        return Value(code, "number") if shape is None else Value(code, "rows", len(shape))

    def _written(self, state: Sequence[str], body: Sequence[ast.stmt]) -> str:
        parameters = [
            f"{name}: {'torch.Tensor' if name in self._spec.shapes else 'float'}" for name in state
        ]
        parameters += [f"{name}={ast.unparse(one)}" for name, one in self._options.items()]
        function = ast.unparse(ast.fix_missing_locations(ast.Module([*body], [])))
        lines = [f"    {line}" for line in function.split("\n")]
        head = f"def compute_reward({', '.join(parameters)}):"
        imports = ["import math"] if "math." in function else []
        return "\n".join([_HEAD, *imports, "import torch", "", "", head, *lines, ""])


def _arguments(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _options(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Yield the parameters that have a number as their default."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    pairs = [
        *zip(with_default, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    for argument, default in pairs:
        constant = default.operand if isinstance(default, ast.UnaryOp) else default
        is_number = isinstance(constant, ast.Constant) and isinstance(constant.value, int | float)
        if default is not None and is_number:
            yield argument.arg, default


def _copies(reads: StateReads, body: list[ast.stmt]) -> list[ast.stmt]:
    """Keep state under another name where the function assigns to its name.

    `goal_position = self.goal.position` alone needs no copy: it is removed.
    """
    body[:] = [node for node in body if not _is_same(node, reads)]
    stored = _names(body, ast.Store)
    copies: list[ast.stmt] = []
    for name in sorted(stored & reads.read.keys()):
        copy = f"state_{name}"
        while copy in stored:
            copy += "_"
        value = ast.Name(name, ast.Load())
        copies.append(ast.Assign([ast.Name(copy, ast.Store())], value))
        for read in reads.read[name]:
            read.id = copy
    return copies


def _names(body: Sequence[ast.stmt], context: type[ast.expr_context]) -> set[str]:
    """Return the names that statements read (`ast.Load`) or assign (`ast.Store`)."""
    nodes = (node for statement in body for node in ast.walk(statement))
    return {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }


def _is_same(node: ast.stmt, reads: StateReads) -> bool:
    """Whether a statement is `x = x` for a state variable."""
    match node:
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.Name(id=name) as value):
            return target == name and any(value is one for one in reads.read.get(name, ()))
    return False


def _modules(tree: ast.Module) -> dict[str, str]:
    """Return the local names of imports with their dotted paths."""
    paths: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            paths |= {one.asname or one.name: one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            paths |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return paths

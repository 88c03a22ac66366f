"""Translate the statements of a reward of one environment: branches become `torch.where`.

Every environment runs all branches. In a branch, an assignment keeps the old value where the
branch's condition does not hold. Each `return` is kept with its condition; the first one whose
condition holds gives the result.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from eureka_agent.extract.single_environment.expressions import Expressions
from eureka_agent.extract.single_environment.helpers import Helper, body_of, parameters_of
from eureka_agent.extract.single_environment.results import Result, first_components, first_total
from eureka_agent.extract.single_environment.values import (
    UntranslatableError,
    Value,
    as_float,
    combined,
    method,
)
from eureka_agent.extract.single_environment.variables import Variables, Written

_MAX_STATEMENTS = 600
_MAX_ROUNDS = 32
_MAX_INDEX = 10_000
_MAX_CALLS = 100
_MAX_DEPTH = 5
_REWRITE = "use assignments, if, for over range(n) and return"


class Statements:
    """Translates a function's body."""

    def __init__(
        self, expressions: Expressions, written: Written, helper: str | None = None, depth: int = 0
    ) -> None:
        """`helper`: the name of the helper whose body this is, and how deep its call is nested."""
        self._expressions = expressions
        self._written = written
        self._variables = Variables(expressions, written, helper)
        self._depth = depth
        self._results: list[Result] = []
        expressions.write_out = self._write_out

    def translate(self, body: Sequence[ast.stmt]) -> None:
        """Translate the whole body, with its final return. Raises UntranslatableError."""
        total = self._result(body)
        components = first_components(self._results, body[-1])
        if any(one.rank for one in (total, *components.values())):
            raise UntranslatableError(body[-1], "return one number, not an array")
        names: list[ast.expr | None] = [ast.Constant(key) for key in components]
        rows = [self._in_rows(value) for value in components.values()]
        pair = ast.Tuple([self._in_rows(total), ast.Dict(names, rows)], ast.Load())
        self._written.done.append(ast.Return(pair))

    def _result(self, body: Sequence[ast.stmt]) -> Value:
        """Translate a body; return what it returns."""
        if not self._block(body):
            last = body[-1] if body else ast.Pass(lineno=1)
            raise UntranslatableError(last, "return a value at the end, whichever branch was taken")
        return first_total(self._results, body[-1])

    def _in_rows(self, value: Value) -> ast.expr:
        """Return `(num_envs,)` of a value."""
        if value.held == "rows":
            return value.code
        like = self._expressions.like
        zeros = method(like, "new_zeros", ast.Call(ast.Name("len", ast.Load()), [like], []))
        return ast.BinOp(zeros, ast.Add(), value.code)

    def _block(self, body: Sequence[ast.stmt]) -> bool:
        """Translate statements; return whether they always return."""
        for statement in body:
            if len(self._written.done) > _MAX_STATEMENTS:
                raise UntranslatableError(statement, "the loops are too long: write them shorter")
            if self._statement(statement):
                return True
        return False

    def _statement(self, node: ast.stmt) -> bool:
        """Translate a statement; return whether the function always returns there."""
        match node:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return False
            case ast.FunctionDef():
                self._define(node, node.name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as function):
                self._define(function, name)
            case ast.Assign(targets=[target]):
                self._assign(node, target, node.value)
            case ast.AnnAssign(value=ast.expr() as value):
                self._assign(node, node.target, value)
            case ast.AugAssign(target=ast.Name() as target):
                self._augment(node, target)
            case ast.If():
                return self._branch(node)
            case ast.For():
                return self._loop(node)
            case ast.Return():
                self._keep_result(node)
                return True
            case _:
                word = ast.unparse(node).split()[0][:40]
                raise UntranslatableError(node, f"{word!r} has no batched form: {_REWRITE}")
        return False

    # ------------------------------------------------------------------ assignments
    def _assign(self, node: ast.stmt, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id=name) if isinstance(value, ast.Dict):
                self._variables.assign_dictionary(node, name, value)
            case ast.Name(id=name):
                self._variables.set(node, name, self._expressions.value(value))
            case ast.Tuple() | ast.List():
                self._unpack(node, target.elts, value)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)) if (
                name in self._expressions.dictionaries
            ):
                self._variables.set_entry(node, name, key, self._expressions.value(value))
            case _:
                raise UntranslatableError(
                    node, "it changes an array in place: build it with np.array"
                )

    def _augment(self, node: ast.AugAssign, target: ast.Name) -> None:
        read = ast.copy_location(ast.Name(target.id, ast.Load()), node)
        value = ast.copy_location(ast.BinOp(read, node.op, node.value), node)
        if self._expressions.value(read).rank:
            raise UntranslatableError(
                node, f"it changes an array in place: write {target.id} = ..."
            )
        self._variables.set(node, target.id, self._expressions.value(value))

    def _unpack(self, node: ast.stmt, targets: Sequence[ast.expr], value: ast.expr) -> None:
        """Translate `a, b = x, y` and `a, b = vector`."""
        if isinstance(value, ast.Tuple | ast.List):
            sources = value.elts
        else:
            places = map(ast.Constant, range(len(targets)))
            sources = [ast.Subscript(value, place, ast.Load()) for place in places]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if len(sources) != len(targets) or len(names) != len(targets):
            raise UntranslatableError(node, "assign one variable at a time")
        values = [self._expressions.value(ast.copy_location(source, node)) for source in sources]
        if any(_reads(source, names) for source in sources):  # as in `a, b = b, a`
            values = [self._variables.kept("value", one) for one in values]
        for name, one in zip(names, values, strict=True):
            self._variables.set(node, name, one)

    # ------------------------------------------------------------------ helpers
    def _define(self, node: ast.FunctionDef | ast.Lambda, name: str) -> None:
        around = self._expressions
        parameters, defaults = parameters_of(node, name)
        around.helpers[name] = Helper(
            name,
            parameters,
            {
                key: self._variables.kept(f"{name}_{key}", around.value(default))
                for key, default in defaults.items()
            },
            body_of(node),
            around.variables,
            around.dictionaries,
        )

    def _write_out(self, helper: Helper, call: ast.Call) -> Value:
        """Write a helper out where it is called; return what it returns."""
        self._written.calls += 1
        if self._written.calls > _MAX_CALLS or self._depth > _MAX_DEPTH:
            raise UntranslatableError(call, f"{helper.name}() is called too often: write it out")
        here = self._expressions
        bound = {name: here.value(one) for name, one in helper.arguments(call).items()}
        for name, value in bound.items():
            if not isinstance(value.code, ast.Name):
                bound[name] = self._variables.kept(f"{helper.name}_{name}", value)
        own = helper.parameters
        known = {key: one for key, one in helper.dictionaries.items() if key not in own}
        variables = {**helper.around, **helper.defaults, **bound}
        helpers = dict(here.helpers)
        inside = replace(here, variables=variables, dictionaries=known, helpers=helpers)
        inner = Statements(inside, self._written, helper.name, self._depth + 1)
        return inner._result(helper.body)

    # ------------------------------------------------------------------ branches and loops
    def _branch(self, node: ast.If) -> bool:
        outer = self._variables.condition
        holds = self._variables.kept("condition", self._expressions.condition(node.test))
        fails = holds.holding(ast.UnaryOp(ast.Invert(), holds.code), is_bool=True)
        self._variables.condition = _both(outer, holds)
        then = self._block(node.body)
        self._variables.condition = _both(outer, fails)
        otherwise = self._block(node.orelse)
        self._variables.condition = outer
        return then and otherwise

    def _loop(self, node: ast.For) -> bool:
        """Write out `for i in range(3)`."""
        rounds = _rounds(node.iter)
        if rounds is None or not isinstance(node.target, ast.Name) or node.orelse:
            raise UntranslatableError(
                node, "loop over range(n) with a number n, or write the loop out"
            )
        if len(rounds) > _MAX_ROUNDS:
            raise UntranslatableError(node, f"loop at most {_MAX_ROUNDS} times")
        for number in rounds:
            self._expressions.variables[node.target.id] = Value(ast.Constant(number), "number")
            if self._block(node.body):
                return True
        return False

    # ------------------------------------------------------------------ results
    def _keep_result(self, node: ast.Return) -> None:
        value, components = node.value, dict[str, Value]()
        if isinstance(value, ast.Tuple) and len(value.elts) == 2:
            value, given = value.elts
            components = self._components(node, given)
        if value is None:
            raise UntranslatableError(node, "return the reward")
        total = as_float(self._expressions.value(value))
        if self._variables.condition is not None:
            total = self._variables.kept("early", total)
            components = {
                key: self._variables.kept("early", one) for key, one in components.items()
            }
        self._results.append(Result(self._variables.condition, total, components))

    def _components(self, node: ast.Return, given: ast.expr) -> dict[str, Value]:
        if isinstance(given, ast.Dict):
            return {key: as_float(value) for key, value in self._variables.entries(given)}
        if isinstance(given, ast.Name) and given.id in self._expressions.dictionaries:
            entries = self._expressions.dictionaries[given.id]
            return {key: self._expressions.variables[name] for key, name in entries.items()}
        raise UntranslatableError(node, "return the reward, or the reward and a dictionary")


def _both(outer: Value | None, inner: Value) -> Value:
    return inner if outer is None else combined(outer, ast.BitAnd(), inner)


def _reads(node: ast.expr, names: Sequence[str]) -> bool:
    return any(isinstance(one, ast.Name) and one.id in names for one in ast.walk(node))


def _rounds(node: ast.expr) -> range | None:
    """Return the numbers of `range(3)`; None for anything else."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) != "range" or node.keywords:
        return None
    try:
        rounds = range(*map(ast.literal_eval, node.args))
    except (ValueError, TypeError):
        return None
    return rounds if max(map(abs, (rounds.start, rounds.stop))) <= _MAX_INDEX else None

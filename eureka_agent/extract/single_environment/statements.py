"""Translate the statements of a reward of one environment: branches become `torch.where`.

Every environment runs all branches. In a branch, an assignment keeps the old value where the
branch's condition does not hold. Each `return` is kept with its condition; the first one whose
condition holds gives the result.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from eureka_agent.extract.single_environment.elementwise import where
from eureka_agent.extract.single_environment.expressions import Expressions
from eureka_agent.extract.single_environment.values import (
    UntranslatableError,
    Value,
    as_float,
    combined,
    method,
)

_MAX_STATEMENTS = 600
_MAX_ROUNDS = 32
_MAX_INDEX = 10_000
_REWRITE = "use assignments, if and return alone, and write loops out"


@dataclass(frozen=True)
class _Result:
    """What one `return` gives, where its condition holds; without one, everywhere else."""

    condition: Value | None
    total: Value
    components: Mapping[str, Value]


class Statements:
    """Translates a function's body; `done` are the new statements."""

    def __init__(self, expressions: Expressions, taken: Iterable[str]) -> None:
        """`taken`: names that new variables may not have."""
        self.done: list[ast.stmt] = []
        self._expressions = expressions
        self._variables = expressions.variables
        self._dictionaries: dict[str, dict[str, str]] = {}
        self._taken = set(taken)
        self._condition: Value | None = None
        self._results: list[_Result] = []

    def translate(self, body: Sequence[ast.stmt]) -> None:
        """Translate the whole body, with its final return. Raises UntranslatableError."""
        if not self._block(body):
            last = body[-1] if body else ast.Pass(lineno=1)
            raise UntranslatableError(
                last, "return the reward at the end, whichever branch was taken"
            )
        self._return()

    def _block(self, body: Sequence[ast.stmt]) -> bool:
        """Translate statements; return whether they always return."""
        for statement in body:
            if len(self.done) > _MAX_STATEMENTS:
                raise UntranslatableError(statement, "the loops are too long: write them shorter")
            if self._statement(statement):
                return True
        return False

    def _statement(self, node: ast.stmt) -> bool:
        """Translate a statement; return whether the function always returns there."""
        match node:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return False
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
                kind = type(node).__name__.lower()
                raise UntranslatableError(node, f"a statement of this kind ({kind}): {_REWRITE}")
        return False

    # ------------------------------------------------------------------ assignments
    def _assign(self, node: ast.stmt, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id=name) if isinstance(value, ast.Dict):
                self._assign_dictionary(node, name, value)
            case ast.Name(id=name):
                self._set(node, name, self._expressions.value(value))
            case ast.Tuple() | ast.List():
                self._unpack(node, target.elts, value)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)) if (
                name in self._dictionaries
            ):
                self._set_entry(node, name, key, self._expressions.value(value))
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
        self._set(node, target.id, self._expressions.value(value))

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
            values = [self._kept("value", one) for one in values]
        for name, one in zip(names, values, strict=True):
            self._set(node, name, one)

    def _set(self, node: ast.stmt, name: str, value: Value) -> None:
        """Assign where the current condition holds."""
        before = self._variables.get(name)
        if self._condition is not None and before is not None:
            if before.rank != value.rank:
                raise UntranslatableError(
                    node, f"{name} is a number in one branch and an array in another: use two names"
                )
            value = where(self._condition, value, before)
        self._write(name, value)

    def _write(self, name: str, value: Value) -> None:
        self._taken.add(name)
        self.done.append(ast.Assign([ast.Name(name, ast.Store())], value.code, lineno=1))
        self._variables[name] = replace(value, code=ast.Name(name, ast.Load()))

    def _kept(self, kind: str, value: Value) -> Value:
        """Return a value that a new variable holds."""
        if isinstance(value.code, ast.Constant):
            return value
        number = 1
        while f"{kind}_{number}" in self._taken:
            number += 1
        self._write(f"{kind}_{number}", value)
        return self._variables[f"{kind}_{number}"]

    # ------------------------------------------------------------------ components
    def _assign_dictionary(self, node: ast.stmt, name: str, value: ast.Dict) -> None:
        if self._condition is not None:
            raise UntranslatableError(node, "make the dictionary of components outside of if")
        self._dictionaries[name] = {}
        for key, one in self._entries(value):
            self._set_entry(node, name, key, one)

    def _entries(self, node: ast.Dict) -> list[tuple[str, Value]]:
        entries: list[tuple[str, Value]] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                raise UntranslatableError(node, "name components by strings that are written out")
            entries.append((key.value, self._expressions.value(value)))
        return entries

    def _set_entry(self, node: ast.stmt, name: str, key: str, value: Value) -> None:
        entries = self._dictionaries[name]
        if key not in entries:
            entries[key] = self._free(f"{name}_{key}" if key.isidentifier() else f"{name}_entry")
            if self._condition is not None:
                self._write(entries[key], Value(ast.Constant(0.0), "number"))
        self._set(node, entries[key], as_float(value))

    def _free(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    # ------------------------------------------------------------------ branches and loops
    def _branch(self, node: ast.If) -> bool:
        outer = self._condition
        holds = self._kept("condition", self._expressions.condition(node.test))
        fails = holds.holding(ast.UnaryOp(ast.Invert(), holds.code), is_bool=True)
        self._condition = _both(outer, holds)
        then = self._block(node.body)
        self._condition = _both(outer, fails)
        otherwise = self._block(node.orelse)
        self._condition = outer
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
            self._variables[node.target.id] = Value(ast.Constant(number), "number")
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
        if any(one.rank for one in (total, *components.values())):
            raise UntranslatableError(node, "return one number, not an array")
        if self._condition is not None:
            total = self._kept("early", total)
            components = {key: self._kept("early", one) for key, one in components.items()}
        self._results.append(_Result(self._condition, total, components))

    def _components(self, node: ast.Return, given: ast.expr) -> dict[str, Value]:
        if isinstance(given, ast.Dict):
            return {key: as_float(value) for key, value in self._entries(given)}
        if isinstance(given, ast.Name) and given.id in self._dictionaries:
            entries = self._dictionaries[given.id]
            return {key: self._variables[name] for key, name in entries.items()}
        raise UntranslatableError(node, "return the reward, or the reward and a dictionary")

    def _return(self) -> None:
        """Write the one return: the first result whose condition holds."""
        keys = dict.fromkeys(key for one in self._results for key in one.components)
        zero = Value(ast.Constant(0.0), "number")
        total = self._first([one.total for one in self._results])
        components = [
            self._first([one.components.get(key, zero) for one in self._results]) for key in keys
        ]
        names: list[ast.expr | None] = [ast.Constant(key) for key in keys]
        pair = ast.Tuple([total, ast.Dict(names, components)], ast.Load())
        self.done.append(ast.Return(pair))

    def _first(self, values: Sequence[Value]) -> ast.expr:
        """Return the value of the first result whose condition holds, `(num_envs,)`."""
        result = values[-1]
        for one, value in zip(self._results[-2::-1], values[-2::-1], strict=True):
            assert one.condition is not None, "only the last return has no condition"
            result = where(one.condition, value, result)
        if result.held == "rows":
            return result.code
        zeros = method(self._expressions.like, "new_zeros", _rows(self._expressions.like))
        return ast.BinOp(zeros, ast.Add(), result.code)


def _both(outer: Value | None, inner: Value) -> Value:
    return inner if outer is None else combined(outer, ast.BitAnd(), inner)


def _rows(like: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("len", ast.Load()), [like], [])


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

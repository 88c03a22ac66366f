"""Translate the expressions of a reward of one environment, with a row per environment."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from eureka_agent.extract.single_environment import arrays, elementwise, functions, reductions
from eureka_agent.extract.single_environment.arrays import Call
from eureka_agent.extract.single_environment.helpers import Helper
from eureka_agent.extract.single_environment.values import (
    UntranslatableError,
    Value,
    as_float,
    combined,
    joined,
    named,
    truth,
)

_CONSTANTS = {"pi": "math.pi", "e": "math.e", "inf": "math.inf", "tau": "math.tau"}
_MATH = ("numpy.", "math.")
_CASTS = frozenset({"float", "bool"})
_COPIES = frozenset({"astype", "copy", "item"})
_BUILTINS = {"abs": "abs", "round": "rint", "pow": "pow", "sum": "sum"}
_BOUNDS = {"max": "maximum", "min": "minimum"}
_MAX_ARGUMENTS = 20
_HINT = (
    "write it with numbers, the arrays that it reads, and plain functions of numpy such as"
    " np.linalg.norm, np.exp, np.clip and np.where"
)


@dataclass
class Expressions:
    """Translates expressions; `variables` holds what is known at the current statement."""

    modules: Mapping[str, str]
    """Local names of imports with their dotted paths: `np` → `numpy`."""
    like: ast.expr
    """A state variable, which gives new tensors their device."""
    variables: dict[str, Value] = field(default_factory=dict)
    dictionaries: dict[str, dict[str, str]] = field(default_factory=dict)
    """The variable of each entry, by the dictionary's name and the entry's key."""
    helpers: dict[str, Helper] = field(default_factory=dict)
    """The functions that the reward itself defines."""
    write_out: Callable[[Helper, ast.Call], Value] | None = None
    """Translates a call of one of them."""

    def value(self, node: ast.expr) -> Value:
        """Return the translation of an expression. Raises UntranslatableError."""
        match node:
            case ast.Constant(value=bool() | int() | float() as constant):
                return Value(node, "number", is_bool=isinstance(constant, bool))
            case ast.Name() | ast.Attribute():
                return self._named(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.Compare():
                return self._compared(node)
            case ast.BoolOp():
                return self._logical(node, conditions=False)
            case ast.IfExp():
                condition = self.condition(node.test)
                return elementwise.where(condition, self.value(node.body), self.value(node.orelse))
            case ast.Subscript():
                return self._entry(node)
            case ast.Call():
                return self._called(node)
        raise UntranslatableError(node, f"{_written(node)} is not translated: {_HINT}")

    def condition(self, node: ast.expr) -> Value:
        """Return a condition, `(num_envs,)` bool. Raises UntranslatableError."""
        if isinstance(node, ast.BoolOp):
            value = self._logical(node, conditions=True)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.condition(node.operand)
            value = inner.holding(ast.UnaryOp(ast.Invert(), inner.code), is_bool=True)
        else:
            value = truth(self.value(node))
        if value.rank:
            raise UntranslatableError(node, "a condition on an array needs np.any or np.all")
        if value.held != "rows":
            raise UntranslatableError(
                node, "this condition reads no state: keep only the branch taken"
            )
        return value

    # ------------------------------------------------------------------ names
    def path(self, node: ast.expr) -> str:
        """Return the dotted path of a function of an imported module; else an empty string."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        module = self.modules.get(node.id, "") if isinstance(node, ast.Name) else ""
        return ".".join([module, *parts]) if module else ""

    def _named(self, node: ast.Name | ast.Attribute) -> Value:
        if isinstance(node, ast.Name) and node.id in self.variables:
            return self.variables[node.id]
        path = self.path(node)
        last = path.rpartition(".")[2]
        if path.startswith(_MATH) and last in _CONSTANTS:
            return Value(named(_CONSTANTS[last]), "number")
        if isinstance(node, ast.Attribute) and not path:
            raise UntranslatableError(node, f"write this without .{node.attr}: {_HINT}")
        raise UntranslatableError(node, f"{ast.unparse(node)} has no value here: {_HINT}")

    # ------------------------------------------------------------------ operators
    def _binary(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.MatMult):
            return reductions.product(self._call(node, left, right))
        if left.is_bool != right.is_bool and not isinstance(node.op, ast.Add | ast.Mult):
            left, right = as_float(left), as_float(right)  # torch has no float minus bool
        logical = isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor)
        codes, held, rank = joined([left, right])
        is_bool = left.is_bool and right.is_bool
        if logical and not is_bool:
            raise UntranslatableError(node, "use & and | between comparisons alone")
        summed = is_bool and isinstance(node.op, ast.Add | ast.Mult)
        return Value(ast.BinOp(codes[0], node.op, codes[1]), held, rank, logical or summed)

    def _unary(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return self.condition(node)
        value = self.value(node.operand)
        if isinstance(node.op, ast.Invert) and not value.is_bool:
            raise UntranslatableError(node, "use ~ before comparisons alone")
        is_bool = isinstance(node.op, ast.Invert)
        return value.holding(ast.UnaryOp(node.op, value.code), is_bool=is_bool)

    def _compared(self, node: ast.Compare) -> Value:
        if any(isinstance(one, ast.Is | ast.IsNot | ast.In | ast.NotIn) for one in node.ops):
            raise UntranslatableError(node, "compare numbers alone")
        for middle in node.comparators[:-1]:  # it is written twice, so nested ones would grow
            if any(isinstance(one, ast.Compare) for one in ast.walk(middle)):
                raise UntranslatableError(node, "write a comparison of comparisons in two lines")
        values = [self.value(one) for one in (node.left, *node.comparators)]
        result: Value | None = None
        for operator, left, right in zip(node.ops, values, values[1:], strict=False):
            codes, held, rank = joined([left, right])
            one = Value(ast.Compare(codes[0], [operator], [codes[1]]), held, rank, is_bool=True)
            result = one if result is None else combined(result, ast.BitAnd(), one)
        assert result is not None, "a comparison has an operator"
        return result

    def _logical(self, node: ast.BoolOp, *, conditions: bool) -> Value:
        values = [self.condition(one) if conditions else self.value(one) for one in node.values]
        if not all(value.is_bool for value in values):
            raise UntranslatableError(node, "use and, or, not between comparisons alone")
        if any(value.rank for value in values):
            raise UntranslatableError(node, "a condition on an array needs np.any or np.all")
        result = values[0]
        operator = ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr()
        for value in values[1:]:
            result = combined(result, operator, value)
        return result

    # ------------------------------------------------------------------ entries
    def _entry(self, node: ast.Subscript) -> Value:
        """Return `x[i]` as `x[:, i]`, or the entry of a dictionary."""
        if isinstance(node.value, ast.Name) and node.value.id in self.dictionaries:
            entries = self.dictionaries[node.value.id]
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if key not in entries:
                raise UntranslatableError(node, f"{node.value.id} has no such entry")
            return self.variables[entries[key]]
        value = self.value(node.value)
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if len(places) > value.rank:
            raise UntranslatableError(node, f"{ast.unparse(node.value)} has no such entries")
        rank = value.rank - sum(not isinstance(place, ast.Slice | ast.List) for place in places)
        codes = [self._place(place) for place in places]
        if value.held == "rows":
            codes.insert(0, ast.Slice())
        index = codes[0] if len(codes) == 1 else ast.Tuple(codes, ast.Load())
        return value.holding(
            ast.Subscript(value.code, index, ast.Load()), rank=rank, is_bool=value.is_bool
        )

    def _place(self, place: ast.expr) -> ast.expr:
        parts = [place]
        if isinstance(place, ast.Slice):
            parts = [part for part in (place.lower, place.upper, place.step) if part is not None]
        elif isinstance(place, ast.List):
            parts = place.elts
        for part in parts:
            self._demand_whole(part)
        return self._with_numbers(place)

    def _demand_whole(self, place: ast.expr) -> None:
        index: ast.expr = place.operand if isinstance(place, ast.UnaryOp) else place
        if isinstance(index, ast.Name) and index.id in self.variables:
            index = self.variables[index.id].code
        if not isinstance(index, ast.Constant) or type(index.value) is not int:
            raise UntranslatableError(place, "an index must be a number that is written out")

    def _with_numbers(self, place: ast.expr) -> ast.expr:
        """Return an index with the variables of loops written out."""
        variables = self.variables

        class _Numbers(ast.NodeTransformer):
            def visit_Name(self, node: ast.Name) -> ast.expr:
                return variables[node.id].code

        written: ast.expr = _Numbers().visit(copy.deepcopy(place))
        return written

    # ------------------------------------------------------------------ calls
    def _called(self, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Name) and node.func.id not in self.modules:
            return self._builtin(node, node.func.id)
        path = self.path(node.func)
        if not path.startswith(_MATH):
            return self._method(node)
        function = path.partition(".")[2]
        listed = node.args[0] if node.args else None
        if function in ("concatenate", "hstack") and isinstance(listed, ast.List | ast.Tuple):
            parts = [self.value(one) for one in listed.elts]
            return arrays.concatenated(self._call(node, named=_keywords(node)), parts)
        return self._translated(self._with_arguments(node), function)

    def _method(self, node: ast.Call) -> Value:
        """Return `x.sum()` and the like."""
        kind = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if not isinstance(node.func, ast.Attribute) or kind not in functions.METHODS | _COPIES:
            raise UntranslatableError(node, f"it calls {_written(node.func)}(): {_HINT}")
        owner = self.value(node.func.value)
        if kind in _COPIES:
            return owner if kind == "copy" else as_float(owner)
        rest = self._with_arguments(node)
        return self._translated(self._call(node, owner, *rest.arguments, named=rest.named), kind)

    def _builtin(self, node: ast.Call, function: str) -> Value:
        if function in self.helpers and self.write_out is not None:
            return self.write_out(self.helpers[function], node)
        one = self._with_arguments(node)
        if function in _CASTS and len(one.arguments) == 1 and not one.arguments[0].rank:
            cast = as_float if function == "float" else truth
            return cast(one.arguments[0])
        alone = len(one.arguments) == 1
        if function in _BUILTINS or (function in _BOUNDS and alone):
            return self._translated(one, _BUILTINS.get(function, function))
        if function in _BOUNDS and not any(value.rank for value in one.arguments):
            one.demand(2, _MAX_ARGUMENTS)
            return elementwise.extreme(one, _BOUNDS[function])
        raise UntranslatableError(node, f"it calls {function[:60]}(): {_HINT}")

    def _translated(self, one: Call, function: str) -> Value:
        translate = functions.function_named(function)
        if translate is None:
            raise UntranslatableError(one.node, f"{function[:60]} is not translated: {_HINT}")
        return translate(one)

    def _with_arguments(self, node: ast.Call) -> Call:
        arguments = [self._argument(node, one) for one in node.args]
        return self._call(node, *arguments, named=_keywords(node))

    def _argument(self, node: ast.Call, argument: ast.expr) -> Value:
        """Return an argument; a list is an array, and None a missing bound."""
        if isinstance(argument, ast.List | ast.Tuple):
            entries = [self._argument(node, one) for one in argument.elts]
            return arrays.array(self._call(node), entries)
        if isinstance(argument, ast.Constant) and argument.value is None:
            return Value(argument, "number")
        return self.value(argument)

    def _call(
        self, node: ast.expr, *arguments: Value, named: Mapping[str, ast.expr] | None = None
    ) -> Call:
        return Call(node, arguments, named or {}, self.like)


def _keywords(node: ast.Call) -> dict[str, ast.expr]:
    return {one.arg or "**": one.value for one in node.keywords}


def _written(node: ast.expr) -> str:
    return ast.unparse(node)[:60]

"""Functions that work entry by entry, such as np.exp, np.clip and np.where."""

from __future__ import annotations

import ast

from eureka_agent.extract.single_environment.arrays import Call
from eureka_agent.extract.single_environment.values import (
    UntranslatableError,
    Value,
    as_float,
    call,
    joined,
    truth,
)

_OF_NUMBERS = {"abs": "abs", "round": "round", "deg2rad": "math.radians", "rad2deg": "math.degrees"}
_ONLY_TENSORS = frozenset({"square", "sign", "neg", "reciprocal"})
_TESTS = frozenset({"isnan", "isfinite", "isinf"})


def extreme(one: Call, function: str) -> Value:
    """Return the least (`minimum`) or greatest (`maximum`) of the arguments."""
    result = as_float(one.arguments[0])
    for value in map(as_float, one.arguments[1:]):
        result = _two(one, function, result, value)
    return result


def of_one(one: Call, function: str) -> Value:
    """Return a function of one array, such as np.exp."""
    one.demand(1, 1)
    value = as_float(one.arguments[0])
    if value.is_number and function not in _ONLY_TENSORS:
        path = _OF_NUMBERS.get(function, f"math.{function}")
        return value.holding(call(path, value.code), is_bool=function in _TESTS)
    value = one.tensor(value)
    return value.holding(call(f"torch.{function}", value.code), is_bool=function in _TESTS)


def of_two(one: Call, function: str) -> Value:
    """Return a function of two arrays, such as np.maximum."""
    one.demand(2, 2)
    return _two(one, function, *map(as_float, one.arguments))


def _two(one: Call, function: str, left: Value, right: Value) -> Value:
    """Return `torch.function(left, right)`; a number as a bound becomes torch.clamp's."""
    bound = {"maximum": "min", "minimum": "max"}.get(function)
    if bound and left.is_number and right.is_number:
        return Value(call(function[:3], left.code, right.code), "number")
    for value, other in ((left, right), (right, left)):
        if bound and other.is_number and not value.is_number:
            return value.holding(call("torch.clamp", value.code, **{bound: other.code}))
    codes, held, rank = joined([one.tensor(left), one.tensor(right)])
    return Value(call(f"torch.{function}", *codes), held, rank)


def operator(one: Call, sign: ast.operator) -> Value:
    """Return a function that is an operator, such as np.add."""
    one.demand(2, 2)
    is_logical = isinstance(sign, ast.BitAnd | ast.BitOr)
    values = [truth(value) if is_logical else value for value in one.arguments]
    codes, held, rank = joined(values)
    return Value(ast.BinOp(codes[0], sign, codes[1]), held, rank, is_logical)


def logical_not(one: Call) -> Value:
    """Return np.logical_not."""
    one.demand(1, 1)
    value = truth(one.tensor(one.arguments[0]))
    return value.holding(ast.UnaryOp(ast.Invert(), value.code), is_bool=True)


def clip(one: Call) -> Value:
    """Return np.clip, with numbers or arrays as bounds."""
    one.demand(3, 3)
    value, low, high = (
        None if _is_none(argument) else as_float(argument) for argument in one.arguments
    )
    if value is None:
        raise UntranslatableError(one.node, "clip needs an array")
    ends = {"min": low, "max": high}
    if not value.is_number and all(end is None or end.is_number for end in ends.values()):
        named = {key: end.code for key, end in ends.items() if end is not None}
        return value.holding(call("torch.clamp", value.code, **named))
    if low is not None:
        value = _two(one, "maximum", value, low)
    return value if high is None else _two(one, "minimum", value, high)


def _is_none(value: Value) -> bool:
    return isinstance(value.code, ast.Constant) and value.code.value is None


def where_called(one: Call) -> Value:
    """Return np.where with three arguments."""
    one.demand(3, 3)
    return where(truth(one.tensor(one.arguments[0])), *one.arguments[1:])


def where(condition: Value, then: Value, otherwise: Value) -> Value:
    """Return `then` where the condition holds and `otherwise` elsewhere, entry by entry."""
    is_bool = then.is_bool and otherwise.is_bool
    branches = [value if is_bool else _floating(value) for value in (then, otherwise)]
    codes, held, rank = joined([condition, *branches])
    return Value(call("torch.where", *codes), held, rank, is_bool)


def _floating(value: Value) -> Value:
    """Return a whole number as a float, so that torch.where gives floats."""
    code, negative = value.code, False
    if isinstance(code, ast.UnaryOp) and isinstance(code.op, ast.USub):
        code, negative = code.operand, True
    if isinstance(code, ast.Constant) and isinstance(code.value, int):
        number = float(-code.value if negative else code.value)
        return value.holding(ast.Constant(number))
    return as_float(value)

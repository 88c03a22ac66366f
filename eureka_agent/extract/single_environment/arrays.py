"""One call of a function, and the arrays that functions make."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from eureka_agent.extract.single_environment.values import (
    UntranslatableError,
    Value,
    as_float,
    call,
    joined,
    method,
)


@dataclass(frozen=True)
class Call:
    """One call: the node for messages, its translated arguments, and `like`, a state variable."""

    node: ast.expr
    arguments: tuple[Value, ...]
    named: Mapping[str, ast.expr]
    """Arguments by keyword, not translated."""
    like: ast.expr

    def demand(self, least: int, most: int, *named: str) -> None:
        """Refuse other numbers of arguments and other keywords than `named`."""
        unknown = [one for one in self.named if one not in named]
        if unknown:
            raise UntranslatableError(self.node, f"write the call without {unknown[0]}=")
        if not least <= len(self.arguments) <= most:
            raise UntranslatableError(self.node, "give this function its usual arguments alone")

    def tensor(self, value: Value) -> Value:
        """Return a value as a tensor."""
        if not value.is_number:
            return value
        return Value(method(self.like, "new_tensor", value.code), "constant")


def array(one: Call, entries: Sequence[Value]) -> Value:
    """Return a list of values of one shape as one array."""
    if not entries or len({entry.rank for entry in entries}) > 1:
        raise UntranslatableError(one.node, "give the array entries of one shape")
    codes, held, rank = joined([as_float(entry) for entry in entries])
    if held == "number":
        listed = ast.List(codes, ast.Load())
        return Value(method(one.like, "new_tensor", listed), "constant", rank + 1)
    tensors = [one.tensor(as_float(entry)).code for entry in entries]
    dim = 1 if held == "rows" else 0
    stacked = call("torch.stack", call("torch.broadcast_tensors", *tensors), dim=dim)
    return Value(stacked, held, rank + 1)


def concatenated(one: Call, parts: Sequence[Value]) -> Value:
    """Return vectors one behind the other."""
    if not parts or any(part.rank != 1 for part in parts):
        raise UntranslatableError(one.node, "put only vectors together, and numbers with np.array")
    _, held, _ = joined(parts)
    rows = call("len", one.like)
    codes = [
        method(part.code, "expand", rows, ast.UnaryOp(ast.USub(), ast.Constant(1)))
        if held != part.held
        else part.code
        for part in map(as_float, parts)
    ]
    return Value(call("torch.cat", ast.Tuple([*codes], ast.Load()), dim=-1), held, 1)


def same(one: Call) -> Value:
    """`np.array(x)`, `np.float32(x)`: what is one already."""
    one.demand(1, 1, "dtype")
    return as_float(one.arguments[0])


def filled(function: str) -> Callable[[Call], Value]:
    """Return how to translate np.zeros and np.ones."""

    def new(one: Call) -> Value:
        one.demand(1, 1, "dtype")
        size = one.arguments[0].code
        if not isinstance(size, ast.Constant) or not isinstance(size.value, int):
            raise UntranslatableError(one.node, "give the number of entries as a number")
        return Value(method(one.like, f"new_{function}", size), "constant", 1)

    return new


def filled_like(function: str) -> Callable[[Call], Value]:
    """Return how to translate np.zeros_like and np.ones_like."""

    def new(one: Call) -> Value:
        one.demand(1, 1, "dtype")
        value = one.tensor(as_float(one.arguments[0]))
        return value.holding(call(f"torch.{function}_like", value.code))

    return new

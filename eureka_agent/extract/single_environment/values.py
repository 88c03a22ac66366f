"""A translated expression, and what it holds in one environment."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Held = Literal["number", "constant", "rows"]
"""A Python number, a tensor without rows, or a tensor with one row per environment."""


class UntranslatableError(Exception):
    """Raised for what has no batched form; `str(error)` says how to rewrite it."""

    def __init__(self, node: ast.AST, why: str) -> None:
        super().__init__(why)
        self.node = node


@dataclass(frozen=True)
class Value:
    """A translated expression."""

    code: ast.expr
    held: Held
    rank: int = 0
    """Dimensions in one environment: 0 for a number, 1 for a vector."""
    is_bool: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it is a Python number."""
        return self.held == "number"

    def holding(self, code: ast.expr, *, rank: int | None = None, is_bool: bool = False) -> Value:
        """Return another expression that is computed from this one alone."""
        rank = self.rank if rank is None else rank
        return replace(self, code=code, rank=rank, is_bool=is_bool)


def named(path: str) -> ast.expr:
    """Return a dotted name that is read."""
    first, *attributes = path.split(".")
    node: ast.expr = ast.Name(first, ast.Load())
    for attribute in attributes:
        node = ast.Attribute(node, attribute, ast.Load())
    return node


def call(path: str, *arguments: ast.expr, **options: ast.expr | float) -> ast.Call:
    """Return the call of a function by its dotted path; plain options become constants."""
    keywords = [
        ast.keyword(key, value if isinstance(value, ast.expr) else ast.Constant(value))
        for key, value in options.items()
    ]
    return ast.Call(named(path), list(arguments), keywords)


def method(owner: ast.expr, kind: str, *arguments: ast.expr) -> ast.Call:
    """Return the call of a method."""
    return ast.Call(ast.Attribute(owner, kind, ast.Load()), list(arguments), [])


def joined(values: Sequence[Value]) -> tuple[list[ast.expr], Held, int]:
    """Return expressions that broadcast as the values do in one environment, and what they give.

    Numpy aligns shapes from the right. A tensor with rows gets the missing dimensions after its
    rows: `x[:, None] * v` for a number `x` and a vector `v`.
    """
    rank = max(value.rank for value in values)
    held: Held = "number"
    if any(value.held == "rows" for value in values):
        held = "rows"
    elif any(value.held == "constant" for value in values):
        held = "constant"
    return [_widened(value, rank) for value in values], held, rank


def _widened(value: Value, rank: int) -> ast.expr:
    missing = rank - value.rank
    if value.held != "rows" or not missing:
        return value.code
    places: list[ast.expr] = [ast.Slice(), *(ast.Constant(None) for _ in range(missing))]
    return ast.Subscript(value.code, ast.Tuple(places, ast.Load()), ast.Load())


def as_float(value: Value) -> Value:
    """Return a value that is not bool."""
    if not value.is_bool:
        return value
    if value.is_number:
        return replace(value, code=call("float", value.code), is_bool=False)
    return replace(value, code=method(value.code, "float"), is_bool=False)


def truth(value: Value) -> Value:
    """Return whether a value is not 0."""
    if value.is_bool:
        return value
    code = ast.Compare(value.code, [ast.NotEq()], [ast.Constant(0)])
    return value.holding(code, is_bool=True)


def combined(left: Value, operator: ast.operator, right: Value) -> Value:
    """Return two conditions as one, entry by entry."""
    codes, held, rank = joined([left, right])
    return Value(ast.BinOp(codes[0], operator, codes[1]), held, rank, is_bool=True)

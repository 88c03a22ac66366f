"""Functions over the entries of arrays: sums, norms and products.

Without an axis, numpy reduces everything that an environment has; here the dimensions behind the
rows are reduced.
"""

from __future__ import annotations

import ast

from eureka_agent.extract.single_environment.arrays import Call
from eureka_agent.extract.single_environment.elementwise import of_one, operator
from eureka_agent.extract.single_environment.values import (
    UntranslatableError,
    Value,
    as_float,
    call,
    joined,
    truth,
)

_PRODUCTS = {(2, 1): "...ij,...j->...i", (1, 2): "...i,...ij->...j", (2, 2): "...ij,...jk->...ik"}


def _dims(one: Call, rank: int) -> ast.expr:
    """Return torch's `dim` for the call's axis, counted from the end."""
    axis = one.named.get("axis")
    if len(one.arguments) > 1:
        axis = one.arguments[1].code
    if axis is None or (isinstance(axis, ast.Constant) and axis.value is None):
        dims = [ast.UnaryOp(ast.USub(), ast.Constant(place)) for place in range(rank, 0, -1)]
        return dims[0] if rank == 1 else ast.Tuple([*dims], ast.Load())
    try:
        place = ast.literal_eval(axis)
    except ValueError:
        place = None
    if not isinstance(place, int) or not -rank <= place < rank:
        raise UntranslatableError(one.node, "give axis as a number that the array has")
    return ast.UnaryOp(ast.USub(), ast.Constant(rank - place % rank))


def reduced(one: Call, function: str) -> Value:
    """Return a sum, mean, maximum or the like over an axis or all entries."""
    one.demand(1, 2, "axis")
    logical = function in ("any", "all")
    value = one.arguments[0] if logical else as_float(one.arguments[0])
    if not value.rank:
        return one.tensor(value).holding(_of_one_number(one, value, function), is_bool=logical)
    if logical:
        value = truth(value)
    dim = _dims(one, value.rank)
    rank = 0 if isinstance(dim, ast.Tuple) else value.rank - 1
    if isinstance(dim, ast.Tuple) and function in ("prod", "any", "all"):
        raise UntranslatableError(one.node, "give this function an axis")
    # Numpy divides by the number of entries, torch by one less.
    extra = {"correction": 0} if function in ("std", "var") else {}
    code = call(f"torch.{function}", value.code, dim=dim, **extra)
    return value.holding(code, rank=rank, is_bool=logical)


def _of_one_number(one: Call, value: Value, function: str) -> ast.expr:
    """Return a reduction of what has one entry alone."""
    if function in ("std", "var"):
        raise UntranslatableError(one.node, "one number has no spread: leave this out")
    return (truth(value) if function in ("any", "all") else one.tensor(value)).code


def norm(one: Call) -> Value:
    """Return np.linalg.norm."""
    one.demand(1, 3, "ord", "axis")
    value = as_float(one.arguments[0])
    if not value.rank:
        return of_one(Call(one.node, (value,), {}, one.like), "abs")
    places = dict(zip(("ord", "axis"), (other.code for other in one.arguments[1:]), strict=False))
    given = {**places, **one.named}
    order = given.get("ord", ast.Constant(None))
    plain = isinstance(order, ast.Constant) and order.value in (None, 2)
    axis = {"axis": given["axis"]} if "axis" in given else {}
    dim = _dims(Call(one.node, (value,), axis, one.like), value.rank)
    rank = 0 if isinstance(dim, ast.Tuple) else value.rank - 1
    if plain and not (isinstance(dim, ast.Tuple) and getattr(order, "value", None) == 2):
        return value.holding(call("torch.linalg.vector_norm", value.code, dim=dim), rank=rank)
    if isinstance(dim, ast.Tuple) or not _is_order(order):
        raise UntranslatableError(one.node, "use np.linalg.norm with ord 1 or 2 over one axis")
    code = call("torch.linalg.vector_norm", value.code, ord=order, dim=dim)
    return value.holding(code, rank=rank)


def _is_order(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def product(one: Call) -> Value:
    """Return `np.dot` or `@` of numbers, vectors and matrices."""
    one.demand(2, 2)
    left, right = map(as_float, one.arguments)
    if not left.rank or not right.rank:
        return operator(Call(one.node, (left, right), {}, one.like), ast.Mult())
    codes, held, _ = joined([left, right])
    if (left.rank, right.rank) == (1, 1):
        return Value(call("torch.sum", ast.BinOp(codes[0], ast.Mult(), codes[1]), dim=-1), held)
    equation = _PRODUCTS.get((left.rank, right.rank))
    if equation is None:
        raise UntranslatableError(one.node, "multiply vectors and matrices alone")
    code = call("torch.einsum", ast.Constant(equation), left.code, right.code)
    return Value(code, held, left.rank + right.rank - 2)


def inner(one: Call) -> Value:
    """Return np.inner, which is not the product of matrices."""
    if any(value.rank > 1 for value in one.arguments):
        raise UntranslatableError(one.node, "use np.dot or @ for matrices")
    return product(one)


def cross(one: Call) -> Value:
    """Return np.cross of two vectors."""
    one.demand(2, 2)
    left, right = map(as_float, one.arguments)
    if (left.rank, right.rank) != (1, 1):
        raise UntranslatableError(one.node, "np.cross needs two vectors of 3 entries")
    codes, held, _ = joined([left, right])
    return Value(call("torch.linalg.cross", *codes, dim=-1), held, 1)

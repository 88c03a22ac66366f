"""The functions of numpy and math that a reward of one environment may call, in torch."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from eureka_agent.extract.single_environment import elementwise, reductions
from eureka_agent.extract.single_environment.arrays import Call, filled, filled_like, same
from eureka_agent.extract.single_environment.values import Value

_SAME = (
    "abs exp expm1 log log1p log2 log10 sqrt sin cos tan sinh cosh tanh floor ceil trunc isnan"
    " isfinite isinf"
).split()
_UNARY = {
    **{one: one for one in _SAME},
    **{f"arc{one}": f"a{one}" for one in ("sin", "cos", "tan")},
    **{f"a{one}": f"a{one}" for one in ("sin", "cos", "tan")},
    **{"absolute": "abs", "fabs": "abs", "square": "square", "sign": "sign"},
    **{"radians": "deg2rad", "deg2rad": "deg2rad", "degrees": "rad2deg", "rad2deg": "rad2deg"},
    **{"negative": "neg", "reciprocal": "reciprocal", "rint": "round"},
}
"""One tensor to one of the same shape; numpy's and math's names."""
_BINARY = {
    **{one: one for one in ("maximum", "minimum", "hypot", "fmax", "fmin")},
    **{"arctan2": "atan2", "atan2": "atan2", "copysign": "copysign"},
}
_OPERATORS: Mapping[str, ast.operator] = {
    "add": ast.Add(),
    "subtract": ast.Sub(),
    "multiply": ast.Mult(),
    "divide": ast.Div(),
    "true_divide": ast.Div(),
    "power": ast.Pow(),
    "pow": ast.Pow(),
    "float_power": ast.Pow(),
    "mod": ast.Mod(),
    "remainder": ast.Mod(),
    "floor_divide": ast.FloorDiv(),
}
_LOGICAL: Mapping[str, ast.operator] = {"logical_and": ast.BitAnd(), "logical_or": ast.BitOr()}
_REDUCTIONS = {
    **{"sum": "sum", "mean": "mean", "prod": "prod", "std": "std", "var": "var"},
    **{"max": "amax", "amax": "amax", "min": "amin", "amin": "amin", "any": "any", "all": "all"},
}
METHODS = frozenset("sum mean prod std var max min any all dot clip".split())
"""Methods of arrays that are the functions of the same names."""


def function_named(path: str) -> Callable[[Call], Value] | None:
    """Return how to translate a call of `numpy.…` or `math.…`, without that prefix; or None."""
    if path in _UNARY:
        return lambda one: elementwise.of_one(one, _UNARY[path])
    if path in _BINARY:
        return lambda one: elementwise.of_two(one, _BINARY[path])
    if path in _OPERATORS:
        return lambda one: elementwise.operator(one, _OPERATORS[path])
    if path in _LOGICAL:
        return lambda one: elementwise.operator(one, _LOGICAL[path])
    if path in _REDUCTIONS:
        return lambda one: reductions.reduced(one, _REDUCTIONS[path])
    return _OTHERS.get(path)


_OTHERS: Mapping[str, Callable[[Call], Value]] = {
    "linalg.norm": reductions.norm,
    "dot": reductions.product,
    "inner": reductions.inner,
    "vdot": reductions.inner,
    "matmul": reductions.product,
    "cross": reductions.cross,
    "clip": elementwise.clip,
    "where": elementwise.where_called,
    "logical_not": elementwise.logical_not,
    "array": same,
    "asarray": same,
    "stack": same,
    "float32": same,
    "float64": same,
    "copy": same,
    "zeros": filled("zeros"),
    "ones": filled("ones"),
    "zeros_like": filled_like("zeros"),
    "ones_like": filled_like("ones"),
}

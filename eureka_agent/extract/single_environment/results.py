"""What the returns of a function give, each with the condition under which it is reached."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eureka_agent.extract.single_environment.elementwise import where
from eureka_agent.extract.single_environment.values import UntranslatableError, Value


@dataclass(frozen=True)
class Result:
    """What one `return` gives, where its condition holds; without one, everywhere else."""

    condition: Value | None
    total: Value
    components: Mapping[str, Value] = field(default_factory=dict)


def first_total(results: Sequence[Result], node: ast.AST) -> Value:
    """Return the total of the first result whose condition holds.

    Raises UntranslatableError at `node` if the results have several shapes.
    """
    return _first(results, [one.total for one in results], node)


def first_components(results: Sequence[Result], node: ast.AST) -> dict[str, Value]:
    """Return the components of the first result whose condition holds; 0 where it lacks one."""
    keys = dict.fromkeys(key for one in results for key in one.components)
    zero = Value(ast.Constant(0.0), "number")
    return {
        key: _first(results, [one.components.get(key, zero) for one in results], node)
        for key in keys
    }


def _first(results: Sequence[Result], values: Sequence[Value], node: ast.AST) -> Value:
    if len({value.rank for value in values}) > 1:
        raise UntranslatableError(node, "return values of one shape")
    result = values[-1]
    for one, value in zip(results[-2::-1], values[-2::-1], strict=True):
        assert one.condition is not None, "only the last return has no condition"
        result = where(one.condition, value, result)
    return result

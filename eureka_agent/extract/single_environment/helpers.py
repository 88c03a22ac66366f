"""Helper functions of a reward of one environment: they are written out where they are called."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eureka_agent.extract.single_environment.values import UntranslatableError, Value


@dataclass(frozen=True)
class Helper:
    """A function or lambda that a reward defines."""

    name: str
    parameters: tuple[str, ...]
    defaults: Mapping[str, Value]
    body: Sequence[ast.stmt]
    around: Mapping[str, Value]
    """The variables of the function that defines it, which change until it is called."""
    dictionaries: Mapping[str, dict[str, str]]
    """See `Expressions.dictionaries`."""

    def arguments(self, call: ast.Call) -> dict[str, ast.expr]:
        """Return what a call gives, by parameter. Raises UntranslatableError."""
        given = dict(zip(self.parameters, call.args, strict=False))
        named = {one.arg: one.value for one in call.keywords if one.arg in self.parameters}
        fits = len(call.args) <= len(self.parameters) and len(named) == len(call.keywords)
        known = given | {str(key): value for key, value in named.items()}
        missing = {*self.parameters} - {*known} - {*self.defaults}
        if not fits or missing or given.keys() & named:
            raise UntranslatableError(call, f"{self.name}() gets other arguments than it has")
        return known


def parameters_of(
    function: ast.FunctionDef | ast.Lambda, name: str
) -> tuple[tuple[str, ...], dict[str, ast.expr]]:
    """Return the names of a function's parameters and their defaults.

    Raises UntranslatableError.
    """
    arguments = function.args
    if arguments.vararg or arguments.kwarg:
        raise UntranslatableError(function, f"write the parameters of {name}() out")
    positional = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    only_named = [one.arg for one in arguments.kwonlyargs]
    defaults = dict(zip(with_default, arguments.defaults, strict=True))
    for key, default in zip(only_named, arguments.kw_defaults, strict=True):
        if default is not None:
            defaults[key] = default
    return (*positional, *only_named), defaults


def body_of(function: ast.FunctionDef | ast.Lambda) -> Sequence[ast.stmt]:
    """Return a function's statements; a lambda has one return."""
    if isinstance(function, ast.FunctionDef):
        return function.body
    return [ast.copy_location(ast.Return(function.body), function)]

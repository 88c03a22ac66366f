"""The code of a task's methods, as prompts show it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable


def source_of(function: Callable[..., object]) -> str:
    """Return a method's code without its docstring; "" if it has no source file."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except OSError:
        return ""
    definition = ast.parse(source).body[0]
    lines = source.rstrip("\n").split("\n")
    if (
        isinstance(definition, ast.FunctionDef)
        and ast.get_docstring(definition)
        and len(definition.body) > 1
    ):
        docstring = definition.body[0]
        del lines[docstring.lineno - 1 : docstring.end_lineno]
    return "\n".join(lines)


def numbers_of(method: Callable[..., object], owner: object) -> dict[str, float]:
    """Return the numbers that a method's code uses: those of its module, and attributes of `owner`.

    Args:
        method: The method.
        owner: The object that it belongs to.
    """
    method = inspect.unwrap(method)
    code, known = getattr(method, "__code__", None), getattr(method, "__globals__", {})
    values = {
        name: known[name] if name in known else getattr(owner, name, None)
        for name in (code.co_names if code else ())
    }
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }

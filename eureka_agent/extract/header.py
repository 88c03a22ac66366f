"""Add the imports and Isaac Gym helpers of Eureka's own header to a reward that lacks them.

Published rewards lack them because Eureka pastes each reward below its header. What is added
becomes part of the source, so the text that is checked, run and written to a file is the same, and
needs only torch.
"""

from __future__ import annotations

import ast
import builtins
from functools import cache
from pathlib import Path

from eureka_agent.checks.decorators import is_dropped
from eureka_agent.extract.blocks import syntax_tree
from eureka_agent.extract.names import annotation_names, bound_names, code_names

_TYPING = frozenset("Any Callable Dict List Mapping Optional Sequence Tuple Union".split())
_IMPORTS = {
    "math": "import math",
    "np": "import numpy as np",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
    "Tensor": "from torch import Tensor",
}
_HEADER = _TYPING | _IMPORTS.keys()
PREDEFINED = frozenset(dir(builtins)) | _HEADER
"""Names that a reward does not have to import."""
_HEAD = "# Isaac Gym's helpers; quaternions are (x, y, z, w)."
_FACTORIES = {"empty": "zeros", "empty_like": "zeros_like", "new_empty": "new_zeros"}


def completed(code: str) -> str:
    """Return `code` with the imports and helpers that it reads but lacks.

    Decorators without effect are removed, because TorchScript would compile the function when its
    file is imported. `torch.empty` becomes `torch.zeros`, because a reward must not read
    uninitialised memory.
    """
    try:
        return _completed(code)
    except (SyntaxError, RecursionError):  # the checks report what is wrong
        return code


@cache
def helpers() -> dict[str, str]:
    """Return the source of each of Isaac Gym's helpers by name."""
    code = Path(__file__).with_name("isaac_gym.py").read_text("utf-8")
    functions = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(code, node) or "" for node in functions}


def _completed(code: str) -> str:
    tree = syntax_tree(code)
    bound: set[str] = set()
    read: set[str] = set()
    annotated: set[str] = set()
    early: set[str] = set()
    for statement in tree.body:
        in_annotations = annotation_names(statement)
        early |= in_annotations - bound
        annotated |= in_annotations
        read |= code_names(statement)
        bound |= bound_names(statement)
    used = [text for name, text in helpers().items() if name in read - bound]
    if used:
        read.add("torch")
    added = ((read | annotated) - bound) & _HEADER
    imports = _imports(added)
    if early - added - PREDEFINED.difference(bound) and not _has_future(tree):
        # An annotation names something that does not exist (yet) when its function is defined;
        # with this import, annotations are not evaluated.
        imports.insert(0, "from __future__ import annotations")
    lines = _edited(code, tree)
    place = _place(tree)
    lines[place:place] = [*imports, ""] if imports else []
    text = "\n".join(lines).strip("\n") + "\n"
    return "\n\n".join([text, _HEAD, *(f"{helper}\n" for helper in used)]) if used else text


def _imports(names: set[str]) -> list[str]:
    """Return the import lines of Eureka's header that bind `names`."""
    typing = ", ".join(sorted(names & _TYPING))
    lines = [line for name, line in _IMPORTS.items() if name in names]
    return [f"from typing import {typing}", *lines] if typing else lines


def _has_future(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body
    )


def _place(tree: ast.Module) -> int:
    """Return the line after which imports go: below a docstring and `__future__` imports."""
    place = 0
    for node in tree.body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not text and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        place = node.end_lineno or node.lineno
    return place


def _edited(code: str, tree: ast.Module) -> list[str]:
    """Return the lines with `zeros` for `empty`, and blank lines for dropped decorators."""
    lines = code.split("\n")
    attributes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in _FACTORIES
    ]
    ends = {(node.end_lineno or 0, node.end_col_offset or 0): node.attr for node in attributes}
    # From the last to the first, so that the earlier offsets stay valid.
    for (number, end), name in sorted(ends.items(), reverse=True):
        line = lines[number - 1].encode()
        before = line[:end].removesuffix(name.encode())
        lines[number - 1] = (before + _FACTORIES[name].encode() + line[end:]).decode()
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", ()):
            if is_dropped(decorator):
                for number in range(
                    decorator.lineno, (decorator.end_lineno or decorator.lineno) + 1
                ):
                    lines[number - 1] = ""
    return lines

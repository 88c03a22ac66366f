"""The names that a checked reward runs with: no module, no import, a few builtins.

In a reward, `torch` is a plain object that holds only the functions of the allow-list, so code that
got past the static checks still has no `torch.load`.
"""

from __future__ import annotations

import builtins
import importlib
import math
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

from eureka_agent.checks.names import BUILTINS, MODULES

_SOURCES = {"numpy": math}
"""Only numpy's constants are allowed, and `math` has the same ones."""


def namespace(imports: Mapping[str, str]) -> dict[str, Any]:
    """Return the globals of one reward: the allowed builtins and what its imports bind."""
    allowed = {name: getattr(builtins, name) for name in BUILTINS} | {"__import__": _import_nothing}
    bound = {name: _resolve(path) for name, path in imports.items()}
    return {"__builtins__": allowed, "__name__": "reward", **bound}


def _import_nothing(*_: object) -> None:
    """Replace `__import__`: torch's C++ calls the frame's one, then finds the module elsewhere."""


@cache
def facades() -> Mapping[str, SimpleNamespace]:
    """Return for each allowed module an object with those allowed attributes that it has."""
    found = {}
    for path, names in MODULES.items():
        module = _SOURCES.get(path) or importlib.import_module(path)
        found[path] = SimpleNamespace(
            **{n: getattr(module, n) for n in sorted(names) if hasattr(module, n)}
        )
    for path, facade in found.items():
        parent, _, name = path.rpartition(".")
        if parent:
            setattr(found[parent], name, facade)
    return found


def _resolve(path: str) -> Any:
    """Return the facade or the function that a dotted path names."""
    if path in facades():
        return facades()[path]
    module, _, name = path.rpartition(".")
    return getattr(facades()[module], name)

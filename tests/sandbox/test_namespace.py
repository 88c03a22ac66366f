from __future__ import annotations

import importlib
from types import ModuleType

import pytest
import torch

from eureka_agent.checks.names import METHODS, MODULES

_sandbox = importlib.import_module("eureka_agent.sandbox.namespace")
facades, namespace = _sandbox.facades, _sandbox.namespace

_BUILTIN_TYPES = (list, dict)


def test_every_listed_name_exists() -> None:
    for path, facade in facades().items():
        assert MODULES[path] <= vars(facade).keys(), (
            f"{path} lacks {MODULES[path] - vars(facade).keys()}"
        )


def test_every_listed_method_exists() -> None:
    owners = (torch.Tensor, *_BUILTIN_TYPES, type(torch.max(torch.zeros(2, 2), dim=1)))
    existing = {name for name in METHODS for owner in owners if hasattr(owner, name)}
    assert existing == METHODS


def test_no_listed_method_works_in_place_or_reaches_storage() -> None:
    for name in METHODS:
        assert not name.endswith("_")
        assert not name.startswith("_")
    assert not METHODS & {
        "data",
        "grad",
        "numpy",
        "untyped_storage",
        "storage",
        "set",
        "share_memory",
        "register_hook",
    }


def test_nothing_in_the_namespace_is_a_module() -> None:
    variables = namespace(
        {"torch": "torch", "F": "torch.nn.functional", "np": "numpy", "exp": "torch.exp"}
    )
    assert not [value for value in variables.values() if isinstance(value, ModuleType)]
    for facade in facades().values():
        assert not [value for value in vars(facade).values() if isinstance(value, ModuleType)]
    assert variables["exp"] is torch.exp
    assert variables["torch"].nn.functional is variables["F"]
    assert variables["np"].pi == pytest.approx(3.14159265)
    assert not hasattr(variables["torch"], "load")
    assert variables["__builtins__"]["__import__"]("os") is None

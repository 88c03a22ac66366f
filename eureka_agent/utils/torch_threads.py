"""How torch shares the cores with the physics."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar, cast

import torch

from eureka_agent.utils.cpu import cpu_count

Function = TypeVar("Function", bound=Callable[..., Any])

_NO_TORCHSCRIPT = (3, 14)
"""The first version of Python that TorchScript does not know."""


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Run torch on one thread where there are few cores: the physics needs them, and small products
    lose by it."""
    threads = torch.get_num_threads()
    if cpu_count() <= 8:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@cache
def scripted(function: Function) -> Function:
    """Return `function` as TorchScript: the same operations, with the same results to the bit.

    Torch then runs it whole, without Python's administration of each operation and without Python's
    lock, so that `torch.jit.fork` within it really uses another core. Deprecated for
    `torch.compile`, which needs a C++ compiler on the user's machine. Where Python is too new for
    TorchScript, this is `function` itself, slower.
    """
    if sys.version_info >= _NO_TORCHSCRIPT:
        return function
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return cast(Function, torch.jit.script(function))

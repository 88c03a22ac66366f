"""Share the cores between torch and the physics."""

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
"""The first version of Python that TorchScript does not support."""


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Run torch on one thread if there are at most 8 cores.

    The physics needs them, and small matrix products are slower on several threads.
    """
    threads = torch.get_num_threads()
    if cpu_count() <= 8:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@cache
def scripted(function: Function) -> Function:
    """Return `function` as TorchScript: the same operations, with bit-identical results.

    Torch then runs it as a whole, without Python's overhead for each operation and without the
    GIL, so that `torch.jit.fork` in it uses another core. TorchScript is deprecated in favour of
    `torch.compile`, but that needs a C++ compiler on the user's machine. If Python is too new for
    TorchScript, this returns `function` itself, which is slower.
    """
    if sys.version_info >= _NO_TORCHSCRIPT:
        return function
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return cast(Function, torch.jit.script(function))

"""How torch shares the cores with the physics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

from eureka_agent.cores import usable_cores

First = TypeVar("First")
Second = TypeVar("Second")

_WORTH_A_THREAD = 2e7
"""Multiplications. Two threads of Python hand each other its lock at every operation: with 512 rows and two hidden
layers of 64 they are 1.4 times slower than one, from four times as many on faster (0.8, and 0.65 for large ones)."""


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Run torch on one thread where there are few cores: the physics needs them, and small products lose by it."""
    threads = torch.get_num_threads()
    if usable_cores() <= 8:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class SideBySide:
    """Runs two functions at once, each on its own core where there are two and the work is worth it.

    Torch's own threads wait for each other in busy loops after every operation, which costs more than it gains on
    small products and much more on a busy machine; two independent halves meet once.
    """

    def __init__(self, device: torch.device) -> None:
        """On a GPU the two run one after the other: its stream orders them anyway."""
        several = device.type == "cpu" and usable_cores() > 1
        self._other = ThreadPoolExecutor(1, thread_name_prefix="learn") if several else None

    def __call__(self, first: Callable[[], First], second: Callable[[], Second], work: float) -> tuple[First, Second]:
        """Return both results; an exception of either is raised. `work`: the multiplications of both together."""
        if self._other is None or work < _WORTH_A_THREAD:
            return first(), second()
        later = self._other.submit(second)
        return first(), later.result()

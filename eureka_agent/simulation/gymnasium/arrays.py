"""What a batch of environments and the processes that step them exchange."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Layout: TypeAlias = dict[str, tuple[str, tuple[int, ...]]]
"""The type and shape of each array, by name."""


@dataclass(frozen=True)
class Arrays:
    """Arrays in one piece of memory; the first dimension is `num_envs`."""

    action: NDArray[np.float32]
    """What policies give, `(num_envs, action_size)`."""
    seed: NDArray[np.int64]
    """The seed of each environment's next episode."""
    active: NDArray[np.bool_]
    """Whether the environment is stepped at all."""
    now: NDArray[np.float32]
    """`(num_envs, recipe.size)`: what the step led to."""
    start: NDArray[np.float32]
    """The same of the new episode, in rows whose episode ended."""
    reward: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    bad: NDArray[np.bool_]
    """Whether the step led to numbers that are not finite."""

    @staticmethod
    def layout(num_envs: int, action_size: int, size: int) -> Layout:
        """Return the type and shape of each array, by name."""
        return {
            "action": ("f4", (num_envs, action_size)),
            "seed": ("i8", (num_envs,)),
            "active": ("?", (num_envs,)),
            "now": ("f4", (num_envs, size)),
            "start": ("f4", (num_envs, size)),
            "reward": ("f4", (num_envs,)),
            "terminated": ("?", (num_envs,)),
            "truncated": ("?", (num_envs,)),
            "bad": ("?", (num_envs,)),
        }

    @classmethod
    def over(cls, buffer: Any, layout: Layout) -> Arrays:
        """Return arrays that lie in `buffer` one after the other."""
        arrays: dict[str, Any] = {}
        start = 0
        for each in fields(cls):
            kind, shape = layout[each.name]
            array = np.ndarray(shape, np.dtype(kind), buffer, start)
            arrays[each.name] = array
            start += -(-array.nbytes // 8) * 8
        return cls(**arrays)

    @staticmethod
    def bytes_of(layout: Layout) -> int:
        """Return the size of a buffer for `over`."""
        sizes = [int(np.prod(shape)) * np.dtype(kind).itemsize for kind, shape in layout.values()]
        return sum(-(-size // 8) * 8 for size in sizes)

"""Counter-based random numbers: one stream per environment, drawn for many environments at once.

A number is a hash of (seed, stream, episode, position). So the numbers of an environment do not
depend on the other environments, and a resumed run needs no saved generator.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64 bits by splitmix64's output function, a bijection (Steele et al. 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@cache
def _seed_key(seed: int) -> NDArray[np.uint64]:
    """`(1,)`, cached because initial states are drawn at almost every step."""
    return _mix(np.array([seed & (2**64 - 1)], dtype=np.uint64) + _GOLDEN)


class EnvironmentRandom:
    """Random numbers of `n` environments; implements `Random`."""

    def __init__(self, seed: int, streams: NDArray[np.int64], episodes: NDArray[np.int64]) -> None:
        """`streams`, `episodes`: `(n,)`, the stream and the past episodes of each environment."""
        self.n = len(streams)
        key = _seed_key(seed)
        for part in (streams, episodes):
            key = _mix((key ^ part.astype(np.uint64)) + _GOLDEN)
        self._key = key
        self._drawn = 0

    def _unit(self, count: int) -> NDArray[np.float64]:
        """`(n, count)` float64 in [0, 1) with 53 random bits."""
        position = np.arange(self._drawn + 1, self._drawn + count + 1, dtype=np.uint64)
        self._drawn += count
        bits = _mix(self._key[:, None] + position[None] * _GOLDEN)
        return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """`(n, *shape)` float32 in [low, high)."""
        unit = self._unit(math.prod(shape)).reshape(self.n, *shape)
        return torch.from_numpy((low + (high - low) * unit).astype(np.float32))

    def normal(self, std: float, *shape: int) -> Tensor:
        """`(n, *shape)` float32, normal with mean 0, by Box and Muller's transform."""
        count = math.prod(shape)
        radius = np.sqrt(-2.0 * np.log1p(-self._unit(count)))
        value = std * radius * np.cos(2.0 * np.pi * self._unit(count))
        return torch.from_numpy(value.reshape(self.n, *shape).astype(np.float32))

    def integers(self, high: int) -> Tensor:
        """`(n,)` int64 in [0, high)."""
        return torch.from_numpy((self._unit(1)[:, 0] * high).astype(np.int64))

"""Rotations of NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def matrices(quaternions: NDArray[Any]) -> NDArray[np.float32]:
    """Return rotation matrices.

    Args:
        quaternions: `(n, 4)`: w, x, y, z; they need not have the length 1.

    Returns:
        `(n, 3, 3)`.
    """
    lengths = np.linalg.norm(quaternions, axis=1, keepdims=True)
    w, x, y, z = (quaternions / np.maximum(lengths, 1e-9)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows, np.float32), 2, 0)

"""How many processor cores this process may use."""

from __future__ import annotations

import os
import sys


def cpu_count() -> int:
    """Return how many cores this process may use: on Linux those that it is bound to, elsewhere
    all."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    else:
        return os.cpu_count() or 1

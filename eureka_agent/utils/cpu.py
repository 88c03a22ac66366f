"""The number of processor cores that this process may use."""

from __future__ import annotations

import os
import sys


def cpu_count() -> int:
    """Return the number of cores: on Linux those that this process is bound to, elsewhere all."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    else:
        return os.cpu_count() or 1

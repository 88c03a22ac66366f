"""Warp's CPU device as `--device cuda`, for machines without a GPU; needs the extra `warp`."""

from __future__ import annotations

import pytest
import warp as wp

from eureka_agent.simulation import warp

# Halves the compile time. Kernels run several times slower, which does not matter here.
wp.config.optimization_level = 0


def put_in_place_of_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the device `cuda` of `make_engine` Warp's CPU device; everything else is as on a GPU."""
    find = warp._warp_device
    monkeypatch.setattr(warp, "_warp_device", lambda name: find("cpu"))

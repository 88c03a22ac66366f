"""Chooses the physics engine for a device."""

from __future__ import annotations

import mujoco

from eureka_agent.errors import UsageError
from eureka_agent.simulation.cpu import CpuEngine
from eureka_agent.simulation.engine import Engine


def make_engine(
    model: mujoco.MjModel, num_envs: int, *, device: str = "cpu", threads: int | None = None
) -> Engine:
    """Return `num_envs` environments of `model`: MuJoCo C on the CPU, MuJoCo Warp on a GPU.

    Args:
        model: The compiled scene.
        num_envs: Number of environments.
        device: `cpu`, `cuda` or `cuda:<i>`.
        threads: Physics threads on the CPU, by default all cores.

    Raises:
        UsageError: The device has no engine, or the extra that it needs is not installed.
        SimulationError: The device is missing, or its engine cannot simulate the model.
    """
    if device == "cpu":
        return CpuEngine(model, num_envs, threads=threads)
    if device.split(":")[0] != "cuda":
        raise UsageError(
            f"There is no physics engine for the device {device!r}: choose cpu or cuda."
        )
    try:
        from eureka_agent.simulation.warp import WarpEngine  # noqa: PLC0415 - needs the extra
    except ImportError as error:
        raise UsageError(
            f"The device {device!r} needs MuJoCo Warp ({error}): pip install 'eureka-agent[warp]'."
        ) from error
    return WarpEngine(model, num_envs, device=device)

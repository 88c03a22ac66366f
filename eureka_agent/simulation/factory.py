"""Chooses the physics engine for a device."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco

from eureka_agent.errors import UsageError
from eureka_agent.simulation.cpu import CpuEngine
from eureka_agent.simulation.engine import Engine


def make_engine(
    model: mujoco.MjModel,
    num_envs: int,
    *,
    device: str = "cpu",
    threads: int | None = None,
    data_fields: Sequence[str] = (),
) -> Engine:
    """Return `num_envs` environments of `model`: MuJoCo C on the CPU, MuJoCo Warp on a GPU.

    Args:
        model: The compiled scene.
        num_envs: Number of environments.
        device: `cpu`, `cuda` or `cuda:<i>`.
        threads: Physics threads on the CPU, by default all cores.
        data_fields: Fields of `MjData` that views have (`MujocoTask.data_fields`).

    Raises:
        UsageError: The device has no engine, its engine has no such fields, or the extra that it
            needs is not installed.
        SimulationError: The device is missing, or its engine cannot simulate the model.
    """
    if device == "cpu":
        return CpuEngine(model, num_envs, threads=threads, data_fields=data_fields)
    if device.split(":")[0] != "cuda":
        raise UsageError(
            f"There is no physics engine for the device {device!r}: choose cpu or cuda."
        )
    if data_fields:
        raise UsageError(
            f"This task reads {', '.join(data_fields)} of MuJoCo's data, which the simulation on"
            f" {device} does not have: choose --device cpu."
        )
    try:
        from eureka_agent.simulation.warp import WarpEngine  # noqa: PLC0415 - needs the extra
    except ImportError as error:
        raise UsageError(
            f"The device {device!r} needs MuJoCo Warp ({error}): pip install 'eureka-agent[warp]'."
        ) from error
    return WarpEngine(model, num_envs, device=device)

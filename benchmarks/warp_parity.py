"""Measure how far MuJoCo Warp (float32) deviates from MuJoCo C (float64) in every task.

Both have the same initial states and random controls. Run with `python -m benchmarks.warp_parity
[cpu|cuda:0]` in the repository; needs the extra `warp`. Prints the table of `docs/gpu.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import mujoco
import numpy as np
import torch
from torch import Tensor

from benchmarks.measure import mujoco_task
from eureka_agent.simulation import CpuEngine, Engine, EnvironmentRandom, PhysicsView
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.physics import InitialState
from eureka_agent.simulation.warp import WarpEngine
from eureka_agent.tasks.registry import task_names

WORLDS, STEPS, SHORT = 16, 50, 10
NUDGE = 1e-6  # rad or m, about ten times the rounding of float32
FIELDS = ("qpos", "qvel", "sensordata")


def main() -> None:
    torch.set_num_threads(1)
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    print(
        f"| task | cone | positions, {SHORT} steps | velocities | sensors | positions, {STEPS}"
        " steps | C nudged |"
    )
    print("|---|---|---|---|---|---|---|")
    for task in map(mujoco_task, task_names()):
        for cone in sorted({int(task.model.opt.cone), int(mujoco.mjtCone.mjCONE_ELLIPTIC)}):
            print(table_row(task, mujoco.mjtCone(cone), device), flush=True)


def table_row(task: MujocoTask, cone: mujoco.mjtCone, device: str) -> str:
    model = with_cone(task, cone)
    warp = list(
        deviations(task, CpuEngine(model, WORLDS), WarpEngine(model, WORLDS, device=device), STEPS)
    )
    nudged = list(
        deviations(task, CpuEngine(model, WORLDS), CpuEngine(model, WORLDS), STEPS, nudge=NUDGE)
    )
    numbers = [warp[SHORT][name] for name in FIELDS] + [warp[STEPS]["qpos"], nudged[STEPS]["qpos"]]
    cells = " | ".join(
        f"{float(n.median()):.0e} / {float(n.max()):.0e}" if n.any() else "-" for n in numbers
    )
    own = "" if cone == task.model.opt.cone else " (not the task's)"
    return f"| {task.name} | {cone.name.removeprefix('mjCONE_').lower()}{own} | {cells} |"


def with_cone(task: MujocoTask, cone: mujoco.mjtCone) -> mujoco.MjModel:
    spec = task.build()
    spec.option.cone = cone
    return spec.compile()


def deviations(
    task: MujocoTask, one: Engine, other: Engine, steps: int, *, nudge: float = 0.0
) -> Iterator[dict[str, Tensor]]:
    """Run two engines in parallel; yield their difference initially and after every environment
    step.

    Per field `(num_envs,)`: the largest `|a - b| / max(1, |a|)` of an environment. `nudge` moves
    the initial state of the second.
    """
    num_envs = one.num_envs
    start = task.initial_state(
        EnvironmentRandom(0, np.arange(num_envs), np.zeros(num_envs, dtype=np.int64))
    )
    generator = torch.Generator().manual_seed(0)
    moved = replace(
        start, qpos=start.qpos + nudge * torch.randn(start.qpos.shape, generator=generator)
    )
    yield _difference(*(_begin(engine, state) for engine, state in ((one, start), (other, moved))))
    for _ in range(steps):
        action = 2.0 * torch.rand(num_envs, task.action_size, generator=generator) - 1.0
        ctrl = task.control(action, start.episode_state)
        yield _difference(
            *(engine.step(ctrl.to(engine.device), task.frame_skip) for engine in (one, other))
        )


def _begin(engine: Engine, start: InitialState) -> PhysicsView:
    return engine.reset(torch.arange(engine.num_envs, device=engine.device), start)


def _difference(a: PhysicsView, b: PhysicsView) -> dict[str, Tensor]:
    pairs = {name: (getattr(a, name).cpu(), getattr(b, name).cpu()) for name in FIELDS}
    far = {name: (x - y).abs() / x.abs().clamp(min=1.0) for name, (x, y) in pairs.items()}
    return {
        name: value.amax(dim=1) if value.shape[1] else value.sum(dim=1)
        for name, value in far.items()
    }


if __name__ == "__main__":
    main()

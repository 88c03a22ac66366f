"""Everything that only a real GPU can show, in one go: resets, bad worlds, graphs, training, parity, throughput.

Run with `python -m benchmarks.gpu_check [cuda:0]` in the repository; needs the extra `warp`. Ends with 1 when a check
fails. Kernels compile in the first run. `cpu` works too and shows that this script does (few worlds: no throughput).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from functools import partial

import mujoco_warp as mjw
import torch
import warp as wp

from benchmarks.warp_parity import deviations
from eureka_agent.registry import all_tasks, load_task
from eureka_agent.reward import SparseReward
from eureka_agent.simulation import CpuEngine, Engine, Environment
from eureka_agent.simulation.warp import WarpEngine
from eureka_agent.task import Task, TrainingBudget
from eureka_agent.trainer import evaluate, random_actions, train

PARITY_WORLDS, PARITY_STEPS, MAX_MEDIAN = 16, 10, 1e-4
TIMED_STEPS = 100


def main() -> int:
    device = sys.argv[1] if len(sys.argv) > 1 else "cuda:0"
    gpu = device.startswith("cuda")
    print(f"device {device}: {torch.cuda.get_device_name(device) if gpu else 'CPU'}")
    own: tuple[Callable[[str], str], ...] = (resets, bad_worlds, graphs, training)
    checks = {check.__name__.replace("_", " "): check for check in own}
    checks |= {f"parity {task.name}": partial(parity, task) for task in all_tasks()}
    failed = 0
    for name, check in checks.items():
        started = time.perf_counter()
        try:
            verdict = f"ok    {check(device)}"
        except Exception as error:  # noqa: BLE001 - every other check is still of interest
            failed += 1
            verdict = f"FAIL  {type(error).__name__}: {error}"
        print(f"{name:24} {verdict}  [{time.perf_counter() - started:.1f} s]", flush=True)
    for task in all_tasks():
        for worlds in (256, 4096, 16384) if gpu else (64,):
            print(f"{task.name:16} {worlds:6} worlds  {throughput(task, worlds, device)}", flush=True)
    return 1 if failed else 0


def parity(task: Task, device: str) -> str:
    engines = CpuEngine(task.model, PARITY_WORLDS), WarpEngine(task.model, PARITY_WORLDS, device=device)
    *_, last = deviations(task, *engines, PARITY_STEPS)
    medians = {name: float(value.median()) for name, value in last.items()}
    demand(medians["qpos"] <= MAX_MEDIAN, f"positions differ by {medians['qpos']:.0e} after {PARITY_STEPS} steps")
    return ", ".join(f"{name} {value:.0e}" for name, value in medians.items())


def resets(device: str) -> str:
    """Worlds end and start anew at different times, as on the CPU."""
    task, worlds = load_task("cartpole"), 32
    engine = WarpEngine(task.model, worlds, device=device)
    one, other = Environment(task, worlds, seed=0), Environment(task, worlds, seed=0, engine=engine)
    generator = torch.Generator().manual_seed(0)
    ended, same = 0, 0
    for _ in range(200):
        action = 2.0 * torch.rand(worlds, 1, generator=generator) - 1.0
        a, b = one.step(action), other.step(action.to(other.device))
        demand(b.observation.device == engine.device, f"the observation is on {b.observation.device}")
        ended += len(a.finished.worlds)
        same += int(torch.isin(b.finished.worlds.cpu(), a.finished.worlds).sum())
    demand(ended > worlds and same > 0.9 * ended, f"{same} of {ended} episodes ended in the same step")
    return f"{same} of {ended} episodes ended in the same step"


def bad_worlds(device: str) -> str:
    task = load_task("cartpole")
    engine = WarpEngine(task.model, 3, device=device)
    ctrl = torch.zeros(3, task.model.nu, device=engine.device)
    ctrl[1] = math.nan
    engine.step(ctrl, 1)
    bad = engine.bad_worlds().tolist()
    demand(bad == [False, True, False], f"bad worlds are {bad}")
    return "found"


def training(device: str) -> str:
    """Physics, policies and PPO on the device; evaluation with the policy on the CPU."""
    task = load_task("cartpole")
    budget = TrainingBudget(num_envs=256, environment_steps=100_000)
    (result,) = train(task, [SparseReward()], budget, seed=0, device=device)
    demand(result.policy is not None and result.record is not None, f"the training failed: {result.error}")
    assert result.policy is not None
    (evaluation,) = evaluate(task, [result.policy], episodes=64, seed=0, device=device)
    (random,) = evaluate(task, [random_actions(task, seed=0)], episodes=64, seed=0, device=device)
    demand(evaluation.fitness > 2.0 * random.fitness, f"fitness {evaluation.fitness:.1f}, random {random.fitness:.1f}")
    return f"fitness {evaluation.fitness:.1f}, random actions {random.fitness:.1f}"


def graphs(device: str) -> str:
    """The captured step gives what MuJoCo Warp gives when its kernels are launched one by one."""
    task, worlds, steps = load_task("ant_forward"), 256, 20
    engine = WarpEngine(task.model, worlds, device=device)
    with wp.ScopedDevice(device):
        model, data = mjw.put_model(task.model), mjw.make_data(task.model, worlds)
        mjw.step(model, data)  # compiles
        mjw.reset_data(model, data)
        wp.synchronize()
        started = time.perf_counter()
        for _ in range(steps):
            mjw.step(model, data)
        wp.synchronize()
        launched = (time.perf_counter() - started) / steps
    ctrl = torch.zeros(worlds, task.model.nu, device=engine.device)
    started = time.perf_counter()
    view = engine.step(ctrl, steps)
    wait(engine)
    replayed = (time.perf_counter() - started) / steps
    far = float((view.qpos - wp.to_torch(data.qpos)).abs().median())
    demand(far <= 1e-5, f"replayed and launched differ by {far:.0e}")
    return f"{1e3 * replayed:.2f} ms a physics step of {worlds} ants, launched one by one {1e3 * launched:.2f} ms"


def throughput(task: Task, worlds: int, device: str) -> str:
    engine = WarpEngine(task.model, worlds, device=device)
    environment = Environment(task, worlds, seed=0, engine=engine)
    action = 2.0 * torch.rand(worlds, task.action_size, device=engine.device) - 1.0
    environment.step(action)
    wait(engine)
    started = time.perf_counter()
    for _ in range(TIMED_STEPS):
        environment.step(action)
    wait(engine)
    rate = worlds * TIMED_STEPS / (time.perf_counter() - started)
    return f"{rate:12,.0f} environment steps/s  {engine.overflows} without room"


def wait(engine: Engine) -> None:
    """Until the device is done."""
    if engine.device.type == "cuda":
        torch.cuda.synchronize(engine.device)


def demand(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


if __name__ == "__main__":
    sys.exit(main())

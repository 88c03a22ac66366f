"""Check everything that needs a real GPU.

Run with `python -m benchmarks.gpu_check [--device cuda:1] [part ...]` in the repository; needs the
extras `warp` and `dev`. Every part prints ok, FAIL or skip. The exit code is 1 if a part fails, and
2 if there is no such device. Kernels compile in the first run. `--device cpu` runs the same on
Warp's CPU device and shows that this script works.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import mujoco_warp as mjw
import pytest
import torch
import warp as wp
from torch import Tensor

from benchmarks.measure import mujoco_task
from benchmarks.warp_parity import deviations
from eureka_agent.checks import check_source
from eureka_agent.config import TrainingBudget
from eureka_agent.jail import Sandbox, SandboxedReward
from eureka_agent.rewards.graph_reward import GraphReward
from eureka_agent.rewards.runner import RewardBatch
from eureka_agent.search.baselines import train_with_baselines
from eureka_agent.search.evaluator import Evaluator
from eureka_agent.search.events import Event, RewardPlaces, TrainingStarted
from eureka_agent.simulation import CpuEngine, Engine, MujocoEnvironment
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.simulation.samples import sample_states
from eureka_agent.simulation.warp import WarpEngine
from eureka_agent.tasks.registry import task_names
from tests.support.honest_robots import ROBOTS
from tests.support.honest_simple import SIMPLE

PARITY_WORLDS, PARITY_STEPS, MAX_MEDIAN = 16, 10, 1e-4
TIMED_STEPS = 100
ROUNDED = 0.01
"""Share of rows in which rounding may cross a threshold of a reward."""


class SkippedError(Exception):
    """This part means nothing on this device."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda:0", help="cuda:<i>, or cpu to try this script")
    parser.add_argument("part", nargs="*", help="only these parts, e.g. 'graph rewards'")
    chosen = parser.parse_args(arguments)
    with pytest.MonkeyPatch.context() as patch:
        if chosen.device == "cpu":
            from tests.support.warp_cpu import put_in_place_of_cuda  # noqa: PLC0415

            put_in_place_of_cuda(patch)
        elif not torch.cuda.is_available():
            print("torch finds no CUDA device; --device cpu shows that this script works.")
            return 2
        name = (
            "Warp's CPU device"
            if chosen.device == "cpu"
            else torch.cuda.get_device_name(chosen.device)
        )
        print(f"device {chosen.device}: {name}")
        known = parts()
        if unknown := set(chosen.part) - known.keys():
            parser.error(
                f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(known)}"
            )
        names = [name for name in known if name in (chosen.part or known)]
        device = "cuda" if chosen.device == "cpu" else chosen.device
        return 1 if sum([run(name, known[name], device) for name in names]) else 0


def parts() -> dict[str, Callable[[str], str]]:
    own: tuple[Callable[[str], str], ...] = (resets, diverged_envs, graphs, graph_rewards, training)
    named = {check.__name__.replace("_", " "): check for check in own}
    named |= {
        f"parity {task.name}": partial(parity, task) for task in map(mujoco_task, task_names())
    }
    return named | {
        f"throughput {task.name}": partial(throughput, task)
        for task in map(mujoco_task, task_names())
    }


def run(name: str, part: Callable[[str], str], device: str) -> bool:
    """Run a part, print its result and return whether it failed."""
    started, failed = time.perf_counter(), False
    try:
        verdict = f"ok    {part(device)}"
    except SkippedError as error:
        verdict = f"skip  {error}"
    except Exception as error:  # noqa: BLE001 - the other parts still run
        failed = True
        verdict = f"FAIL  {type(error).__name__}: {error}"
    print(f"{name:26} {verdict}  [{time.perf_counter() - started:.1f} s]", flush=True)
    return failed


def parity(task: MujocoTask, device: str) -> str:
    engines = (
        CpuEngine(task.model, PARITY_WORLDS),
        WarpEngine(task.model, PARITY_WORLDS, device=device),
    )
    *_, last = deviations(task, *engines, PARITY_STEPS)
    medians = {name: float(value.median()) for name, value in last.items()}
    demand(
        medians["qpos"] <= MAX_MEDIAN,
        f"positions differ by {medians['qpos']:.0e} after {PARITY_STEPS} steps",
    )
    return ", ".join(f"{name} {value:.0e}" for name, value in medians.items())


def resets(device: str) -> str:
    """Environments end and restart at different times, as on the CPU."""
    task, num_envs = mujoco_task("cartpole"), 32
    engine = WarpEngine(task.model, num_envs, device=device)
    one, other = (
        MujocoEnvironment(task, num_envs, seed=0),
        MujocoEnvironment(task, num_envs, seed=0, engine=engine),
    )
    generator = torch.Generator().manual_seed(0)
    ended, same = 0, 0
    for _ in range(200):
        action = 2.0 * torch.rand(num_envs, 1, generator=generator) - 1.0
        a, b = one.step(action), other.step(action.to(other.device))
        demand(
            b.observation.device == engine.device, f"the observation is on {b.observation.device}"
        )
        ended += len(a.finished.env_ids)
        same += int(torch.isin(b.finished.env_ids.cpu(), a.finished.env_ids).sum())
    demand(
        ended > num_envs and same > 0.9 * ended,
        f"{same} of {ended} episodes ended in the same step",
    )
    return f"{same} of {ended} episodes ended in the same step"


def diverged_envs(device: str) -> str:
    task = mujoco_task("cartpole")
    engine = WarpEngine(task.model, 3, device=device)
    ctrl = torch.zeros(3, task.model.nu, device=engine.device)
    ctrl[1] = math.nan
    engine.step(ctrl, 1)
    bad = engine.diverged_envs().tolist()
    demand(bad == [False, True, False], f"bad environments are {bad}")
    return "found"


def graph_rewards(device: str) -> str:
    """Rewards as operations on the device equal those of their processes on the CPU."""
    rewards = (
        SIMPLE
        | ROBOTS
        | {
            f"human reward of {task.name}": (task.name, task.human_reward)
            for task in map(mujoco_task, task_names())
            if task.has_human_source
        }
    )
    samples = {
        name: sample_states(mujoco_task(name), seed=0)
        for name in {task for task, _ in rewards.values()}
    }
    place = WarpEngine(mujoco_task("cartpole").model, 1, device=device).device
    values = off = 0
    with Sandbox() as sandbox:
        for name, (task, code) in rewards.items():
            spec, state = mujoco_task(task).reward_inputs, samples[task]
            sandboxed = sandbox.open(check_source(code, spec), spec, max_rows=len(state["action"]))
            got, expected = _on(place, sandboxed, state), sandboxed(state)
            sandboxed.close()
            pairs = [
                (got.reward, expected.reward),
                *((got.components[n], v) for n, v in expected.components.items()),
            ]
            far = [~torch.isclose(a.cpu(), b, rtol=1e-4, atol=1e-5) for a, b in pairs]
            demand(
                max(float(each.float().mean()) for each in far) <= ROUNDED,
                f"{name!r} gives other values",
            )
            values, off = (
                values + sum(len(each) for each in far),
                off + sum(int(each.sum()) for each in far),
            )
    return (
        f"{len(rewards)} rewards on {place}; {off} of {values:,} values differ from the"
        " sandboxed processes'"
    )


def _on(
    place: torch.device, sandboxed: SandboxedReward, state: Mapping[str, Tensor]
) -> RewardBatch:
    """Return the values of a reward's graph on this device."""
    graph = sandboxed.graph(state)
    assert graph is not None, "a reward has no graph"
    runner = GraphReward(graph.graph, graph.counts, otherwise=sandboxed)
    runner.submit({name: values.to(place) for name, values in state.items()})
    batch = runner.collect()
    demand(batch.reward.device == place, f"the reward is on {batch.reward.device}")
    return batch


def training(device: str) -> str:
    """Train on the device with the human reward; evaluate the policies on the CPU."""
    task, places = mujoco_task("cartpole"), list[RewardPlaces]()

    def listen(event: Event) -> None:
        if isinstance(event, TrainingStarted):
            places.append(event.rewards)

    budget = TrainingBudget(num_envs=256, environment_steps=50_000, evaluation_episodes=32)
    with Sandbox() as sandbox:
        evaluator = Evaluator(task, budget, sandbox, seed=0, device=device, emit=listen)
        _, measured = train_with_baselines(evaluator, (), listen)
    as_operations = places[0].device == "cuda" and places[0].as_operations
    demand(bool(as_operations), f"the rewards run elsewhere: {places[0]}")
    fitness = {baseline.name: baseline.evaluation.fitness for baseline in measured.baselines}
    demand(min(fitness["human"], fitness["sparse"]) > 2.0 * fitness["random"], f"fitness {fitness}")
    return ", ".join(f"{name} {value:.1f}" for name, value in fitness.items())


def graphs(device: str) -> str:
    """The captured step equals MuJoCo Warp with kernels launched one by one."""
    task, num_envs, steps = mujoco_task("ant_forward"), 256, 20
    engine = WarpEngine(task.model, num_envs, device=device)
    with wp.ScopedDevice(str(engine.device)):
        model, data = mjw.put_model(task.model), mjw.make_data(task.model, num_envs)
        mjw.step(model, data)  # compiles
        mjw.reset_data(model, data)
        wp.synchronize()
        started = time.perf_counter()
        for _ in range(steps):
            mjw.step(model, data)
        wp.synchronize()
        launched = (time.perf_counter() - started) / steps
    ctrl = torch.zeros(num_envs, task.model.nu, device=engine.device)
    started = time.perf_counter()
    view = engine.step(ctrl, steps)
    wait(engine)
    replayed = (time.perf_counter() - started) / steps
    far = float((view.qpos - wp.to_torch(data.qpos)).abs().median())
    demand(far <= 1e-5, f"replayed and launched differ by {far:.0e}")
    return (
        f"{1e3 * replayed:.2f} ms per physics step of {num_envs} ants, launched one by one"
        f" {1e3 * launched:.2f} ms"
    )


def throughput(task: MujocoTask, device: str) -> str:
    rates = [
        f"{num_envs} environments {_rate(task, num_envs, device)}"
        for num_envs in (256, 4096, 16384)
    ]
    return f"environment steps/s: {'; '.join(rates)}"


def _rate(task: MujocoTask, num_envs: int, device: str) -> str:
    if WarpEngine(task.model, 1, device=device).device.type == "cpu":
        raise SkippedError("it means nothing on a CPU")
    engine = WarpEngine(task.model, num_envs, device=device)
    environment = MujocoEnvironment(task, num_envs, seed=0, engine=engine, reads=())
    action = 2.0 * torch.rand(num_envs, task.action_size, device=engine.device) - 1.0
    environment.step(action)
    wait(engine)
    started = time.perf_counter()
    for _ in range(TIMED_STEPS):
        environment.step(action)
    wait(engine)
    rate = num_envs * TIMED_STEPS / (time.perf_counter() - started)
    return f"{rate:,.0f}" + (f" ({engine.overflows} without room)" if engine.overflows else "")


def wait(engine: Engine) -> None:
    """Wait until the device has finished."""
    if engine.device.type == "cuda":
        torch.cuda.synchronize(engine.device)


def demand(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


if __name__ == "__main__":
    sys.exit(main())

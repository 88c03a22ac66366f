"""Compare the environment steps per second of ours, MuJoCo's bare batch, and Gymnasium with SB3.

    bare Batch      `mujoco.batch.Batch` takes controls and steps; nothing is read or reset
    ours            `Environment.step`: control, physics, state, observation, end, fitness, new
                    episodes. The state is recorded, and every 32 steps the human reward in the
                    sandbox is computed for it, as in a training
    no reward       `Environment.step` alone
    sb3, Dummy 8    stable-baselines3's DummyVecEnv on 8 of Gymnasium's Ant-v5 with the same model,
                    one after the other
    sb3, Subproc 8  the same in 8 processes

The models are Gymnasium's ant with its Runge-Kutta integrator, the same with implicitfast, and our
`ant_forward`, whose short step (implicitfast, 2 physics steps) makes the overhead most visible.
Every entry of every action is drawn uniformly. All batches have all cores, the same number of
environments and, at the start of each repeat, the same states. Repeats are interleaved and ratios
are taken within a repeat, so that a busy machine is busy for all; CPU time, of all threads of this
process, depends less on other programs. Run with `python -m benchmarks.step_throughput`; needs the
extra sb3, or `--no-sb3`.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import gymnasium
import mujoco
import numpy as np
import torch
import tyro
from mujoco.batch import Batch
from torch import Tensor

from benchmarks.gymnasium_tasks import GymnasiumAnt
from benchmarks.measure import mujoco_task
from eureka_agent.checks import check_source
from eureka_agent.jail import Sandbox
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.simulation import CpuEngine, MujocoEnvironment
from eureka_agent.simulation.mujoco_task import MujocoTask
from eureka_agent.training.rollout_buffer import StateRecorder, rewards_of
from eureka_agent.utils.cpu import cpu_count

GYMNASIUM_ENVS = 8
HORIZON = 32
"""Steps of a rollout; each repeat consists of whole rollouts."""
DRAWN = 32
"""Number of different actions per environment, used in turn."""


class ImplicitAnt(GymnasiumAnt):
    """Gymnasium's ant with the integrator that MuJoCo recommends."""

    name = "gymnasium_ant_implicitfast"

    def build(self) -> mujoco.MjSpec:
        spec = super().build()
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        return spec


TASKS: dict[str, Callable[[], MujocoTask]] = {
    "rk4": GymnasiumAnt,
    "implicitfast": ImplicitAnt,
    "ant_forward": lambda: mujoco_task("ant_forward"),
}
Benchmarked = Literal["rk4", "implicitfast", "ant_forward"]


@dataclass(frozen=True)
class Contestant:
    """One way to step `num_envs` environments."""

    name: str
    num_envs: int
    step: Callable[[int], object]
    """Takes the index of the step."""
    prepare: Callable[[], None] = lambda: None
    """Called before each repeat, untimed."""
    processes: bool = False
    """Whether other processes work, whose CPU time is not measured."""


@dataclass(frozen=True)
class Sample:
    """One repeat of one contestant, per step of one environment."""

    seconds: float
    cpu_seconds: float


def main(
    models: tuple[Benchmarked, ...] = ("rk4", "implicitfast", "ant_forward"),
    num_envs: int = 512,
    seconds: float = 0.5,
    repeats: int = 15,
    sb3: bool = True,
    quick: bool = False,
) -> None:
    """Measure and print one table per model.

    Args:
        models: Models to measure.
        num_envs: Environments of the two batches.
        seconds: Seconds of one repeat of one contestant.
        repeats: Repeats of each contestant.
        sb3: Measure Gymnasium's environments, too.
        quick: 16 environments, once and briefly: only shows that it runs.
    """
    num_envs, seconds, repeats = (16, 0.02, 1) if quick else (num_envs, seconds, repeats)
    torch.set_num_threads(1)  # as in a training with few cores
    with Sandbox() as sandbox:
        for model in models:
            task = TASKS[model]()
            reward = check_source(task.human_reward, task.reward_inputs)
            sandboxed = sandbox.open(reward, task.reward_inputs, max_rows=num_envs * HORIZON)
            contestants = _batches(task, num_envs, sandboxed)
            with _gymnasiums(task) if sb3 else _nothing() as others:
                contestants += others
                _table(task, contestants, _interleaved(contestants, seconds, repeats))
            sandboxed.close()


def _batches(task: MujocoTask, num_envs: int, reward: RewardRunner) -> list[Contestant]:
    """Return the bare batch and ours."""
    threads = cpu_count()
    engine = CpuEngine(task.model, num_envs, threads=threads)
    environment = MujocoEnvironment(task, num_envs, seed=0, engine=engine, reads=reward.parameters)
    bare = Batch(task.model, num_envs, nthread=threads)
    generator = torch.Generator().manual_seed(0)
    actions = [
        torch.rand(num_envs, task.action_size, generator=generator) * 2.0 - 1.0
        for _ in range(DRAWN)
    ]
    controls = [task.control(action, {}).numpy() for action in actions]
    ctrl = bare.bind("ctrl")

    def step_bare(i: int) -> None:
        ctrl[:] = controls[i % DRAWN]
        bare.step(nstep=task.frame_skip)

    def same_states() -> None:
        bare.state[:] = engine._batch.state

    recorder = StateRecorder([reward], [variable.name for variable in task.reward_inputs.tensors])
    bad: list[Tensor] = []

    def step_paid(i: int) -> None:
        before = environment.state
        step = environment.step(actions[i % DRAWN])
        recorder.record(before, step)
        bad.append(step.bad)
        if len(bad) == HORIZON:
            _, _, (error,) = rewards_of([reward], recorder.take(), torch.stack(bad)[:, None])
            bad.clear()
            if error is not None:
                raise error

    ages = torch.randint(task.max_episode_steps, (num_envs,), generator=generator)
    environment._length = (
        ages.float()
    )  # so that time-outs come one by one, as when training is under way
    for i in range(50):  # to where legs touch the ground and episodes end
        environment.step(actions[i % DRAWN])
    return [
        Contestant("bare Batch", num_envs, step_bare, prepare=same_states),
        Contestant("ours", num_envs, step_paid),
        Contestant("no reward", num_envs, lambda i: environment.step(actions[i % DRAWN])),
    ]


@contextmanager
def _nothing() -> Iterator[list[Contestant]]:
    yield []


@contextmanager
def _gymnasiums(task: MujocoTask) -> Iterator[list[Contestant]]:
    """Yield Gymnasium's Ant-v5 with the task's model, in vector environments of SB3."""
    try:
        from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SystemExit(
            f"Needs stable-baselines3 ({error}): pip install 'eureka-agent[sb3]', or --no-sb3."
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.xml")
        spec = task.build()
        spec.compile()
        path.write_text(spec.to_xml(), encoding="utf-8")
        options = {
            **GymnasiumAnt.gymnasium_options,
            "xml_file": str(path),
            "frame_skip": task.frame_skip,
        }
        make = [partial(gymnasium.make, GymnasiumAnt.gymnasium_id, **options)] * GYMNASIUM_ENVS
        dummy, subproc = DummyVecEnv(make), SubprocVecEnv(make)
        try:
            yield [
                Contestant(f"sb3, Dummy {GYMNASIUM_ENVS}", GYMNASIUM_ENVS, _stepper(dummy)),
                Contestant(
                    f"sb3, Subproc {GYMNASIUM_ENVS}",
                    GYMNASIUM_ENVS,
                    _stepper(subproc),
                    processes=True,
                ),
            ]
        finally:
            dummy.close()
            subproc.close()


def _stepper(environment: Any) -> Callable[[int], object]:
    """Return a step function for a vector environment of stable-baselines3."""
    environment.reset()
    size = (DRAWN, GYMNASIUM_ENVS, *environment.action_space.shape)
    actions = np.random.default_rng(0).uniform(-1.0, 1.0, size).astype(np.float32)
    return lambda i: environment.step(actions[i % DRAWN])


def _interleaved(
    contestants: list[Contestant], seconds: float, repeats: int
) -> dict[str, list[Sample]]:
    """Run all repeats; each begins with another contestant."""
    steps = {contestant.name: _steps_in(contestant, seconds) for contestant in contestants}
    samples: dict[str, list[Sample]] = {contestant.name: [] for contestant in contestants}
    for repeat in range(repeats):
        first = repeat % len(contestants)
        for contestant in contestants[first:] + contestants[:first]:
            samples[contestant.name].append(_sample(contestant, steps[contestant.name]))
    return samples


def _steps_in(contestant: Contestant, seconds: float) -> int:
    """Return the number of steps that fit into `seconds`, in whole rollouts; also warms up."""
    _sample(contestant, HORIZON)
    one = _sample(contestant, HORIZON).seconds * contestant.num_envs
    return HORIZON * max(1, round(seconds / (HORIZON * one)))


def _sample(contestant: Contestant, steps: int) -> Sample:
    contestant.prepare()
    start, cpu = time.perf_counter(), time.process_time()
    for i in range(steps):
        contestant.step(i)
    count = steps * contestant.num_envs
    return Sample((time.perf_counter() - start) / count, (time.process_time() - cpu) / count)


def _table(
    task: MujocoTask, contestants: list[Contestant], samples: dict[str, list[Sample]]
) -> None:
    bare = samples[contestants[0].name]
    print(f"\n{task.name}: frame skip {task.frame_skip}, medians of {len(bare)} repeats")
    print(f"{'':16}{'envs':>8}{'steps/s':>10}{'of bare':>10}{'CPU us a step':>15}{'of bare':>10}")
    for contestant in contestants:
        own = samples[contestant.name]
        pace = 1.0 / statistics.median(sample.seconds for sample in own)
        ratio = statistics.median(b.seconds / o.seconds for b, o in zip(bare, own, strict=True))
        line = f"{contestant.name:16}{contestant.num_envs:8}{pace:10.0f}{ratio:10.3f}"
        if not contestant.processes:
            cpu = statistics.median(sample.cpu_seconds for sample in own)
            cpu_ratio = statistics.median(
                b.cpu_seconds / o.cpu_seconds for b, o in zip(bare, own, strict=True)
            )
            line += f"{cpu * 1e6:15.2f}{cpu_ratio:10.3f}"
        print(line)


if __name__ == "__main__":
    tyro.cli(main)

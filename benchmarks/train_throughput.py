"""Compare one candidate's training: ours, stable-baselines3 and rsl_rl.

Gymnasium's Hopper-v5 and Ant-v5 (see `gymnasium_tasks`) with the same model, integrator (RK4, and
implicitfast) and frame skip on all sides, equal hidden layers and environment steps, and the same
rows, epochs and minibatches per update. The contestants:

    ours            the population PPO with one candidate, its reward in the sandbox
    sb3-on-ours     stable-baselines3's PPO on the same batched environments, the reward in the
                    sandbox at every step
    rsl_rl-on-ours  rsl_rl's PPO in the same way
    sb3-dummy       stable-baselines3's PPO on 8 of Gymnasium's own environments, one after the
                    other
    sb3-subproc     the same in 8 processes

`bare` is the upper limit: MuJoCo steps as many environments as ours with random controls, and
nothing is read. `returns` measures the policies of these settings.

Torch has `--torch-threads` threads; our trainers use one if there are few cores. The time is that
of the training call; Gymnasium's environments and their processes are made before it, ours within
it. Runs are interleaved, and ratios are medians over pairs of runs.
Run with `python -m benchmarks.train_throughput`; needs the extras sb3 and rsl_rl.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

import torch
import tyro
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

from benchmarks.gymnasium_tasks import TASKS, Benchmarked, GymnasiumTask
from benchmarks.measure import bare_stepping, interleaved, ratio, stepping_of, table
from benchmarks.sb3_ppo import ENVS, VecKind, import_once, make_environment, make_ppo, total_steps
from eureka_agent.checks import check_source
from eureka_agent.config import TrainingBudget
from eureka_agent.jail import Sandbox
from eureka_agent.training import PopulationTrainer, Trainer, TrainerSettings
from eureka_agent.training.budgets import budgets_of
from eureka_agent.training.rsl_rl import RslRlTrainer
from eureka_agent.training.sb3 import Sb3Trainer

NO_EARLY_STOP = {"target_kl": None}
"""No early stop, so that every epoch runs, as with the others."""

Contestant = Literal["ours", "sb3-on-ours", "rsl_rl-on-ours", "sb3-dummy", "sb3-subproc"]
EVERYONE: tuple[Contestant, ...] = (
    "ours",
    "sb3-on-ours",
    "rsl_rl-on-ours",
    "sb3-dummy",
    "sb3-subproc",
)


def main(
    envs: tuple[Benchmarked, ...] = ("hopper", "ant"),
    contestants: tuple[Contestant, ...] = EVERYONE,
    num_envs: int | None = None,
    steps: int = 204_800,
    repeats: int = 3,
    quick: bool = False,
    torch_threads: int = 1,
) -> None:
    """Measure and print one table per environment.

    Args:
        envs: Gymnasium environments to measure.
        contestants: Trainers besides bare stepping; ratios need `ours`.
        num_envs: Our environments; by default as in `returns`. The rows per update of all
            contestants grow with them.
        steps: Environment steps of each training, rounded to rollouts.
        repeats: Trainings of each contestant.
        quick: One rollout in the first environment, once: only shows that it runs.
        torch_threads: Threads of torch on Gymnasium's environments.
    """
    torch.set_num_threads(torch_threads)
    import_once()
    if quick:
        envs, steps, repeats = envs[:1], 1, 1
    with Sandbox() as sandbox:
        for env in envs:
            task = TASKS[env]
            budget = replace(budgets_of(task)["normal"], environment_steps=steps)
            budget = replace(budget, num_envs=num_envs or budget.num_envs)
            sb3 = Sb3Trainer(options=NO_EARLY_STOP)
            trainings: dict[Contestant, Callable[[int], float]] = {
                "ours": _on_our_environments(task, budget, sandbox, PopulationTrainer()),
                "sb3-on-ours": _on_our_environments(task, budget, sandbox, sb3),
                "rsl_rl-on-ours": _on_our_environments(task, budget, sandbox, RslRlTrainer()),
                "sb3-dummy": _on_gymnasium(task, budget, DummyVecEnv),
                "sb3-subproc": _on_gymnasium(task, budget, SubprocVecEnv),
            }
            runs: dict[str, Callable[[int], float]] = {
                "bare": partial(bare_stepping, task, budget.num_envs, total_steps(budget)),
                **{name: trainings[name] for name in contestants},
            }
            _print(task, budget, interleaved(runs, repeats))


def _on_our_environments(
    task: GymnasiumTask, budget: TrainingBudget, sandbox: Sandbox, trainer: Trainer
) -> Callable[[int], float]:
    reward = check_source(task.human_reward, task.reward_inputs)

    def run(seed: int) -> float:
        sandboxed = sandbox.open(
            reward, task.reward_inputs, max_rows=budget.num_envs * budget.horizon
        )
        settings = TrainerSettings(budget, seed=seed)
        start = time.perf_counter()
        (result,) = trainer.train(task, [sandboxed], settings)
        seconds = time.perf_counter() - start
        sandboxed.close()
        if result.error is not None:
            raise result.error
        return seconds

    return run


def _on_gymnasium(
    task: GymnasiumTask, budget: TrainingBudget, kind: VecKind
) -> Callable[[int], float]:
    def run(seed: int) -> float:
        environment = make_environment(task, budget, kind=kind)
        start = time.perf_counter()
        make_ppo(environment, budget, seed).learn(total_steps(budget))
        seconds = time.perf_counter() - start
        environment.close()
        return seconds

    return run


def _print(task: GymnasiumTask, budget: TrainingBudget, seconds: dict[str, list[float]]) -> None:
    steps = total_steps(budget)
    rows = []
    for name, times in seconds.items():
        rates = (steps / statistics.median(times), steps / max(times), steps / min(times))
        slower = f"{ratio(times, seconds['ours']):.2f}x" if "ours" in seconds else "-"
        num_envs = ENVS if name in ("sb3-dummy", "sb3-subproc") else budget.num_envs
        share = f"{ratio(seconds['bare'], times):.0%}"
        rows.append((name, str(num_envs), *(f"{rate:.0f}" for rate in rates), slower, share))
    repeats = len(seconds["bare"])
    table(
        f"{task.name} ({stepping_of(task.model)}): {steps} environment steps, {repeats} runs each",
        ("", "envs", "steps/s", "slowest", "fastest", "ours is faster by", "of bare"),
        rows,
    )


if __name__ == "__main__":
    tyro.cli(main)

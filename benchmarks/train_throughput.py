"""One candidate's training: ours, stable-baselines3 and rsl_rl, with equal networks, updates and environment steps.

Gymnasium's Hopper-v5 and Ant-v5 (see `gymnasium_tasks`) with the same model, integrator (RK4) and frame skip on all
sides, one hidden-layer shape, and the same rows, epochs and minibatches an update. What trains:

    ours                the population PPO with one candidate, its reward behind the wall
    sb3, our worlds     stable-baselines3's PPO on the same batched worlds, the reward behind the wall at every step
    rsl_rl, our worlds  rsl_rl's PPO likewise
    sb3, Dummy 8        stable-baselines3's PPO on 8 of Gymnasium's own environments, one after the other
    sb3, Subproc 8      the same in 8 processes

Torch has `--torch-threads` threads; our trainers take one where there are few cores. The time is that of the training
call; Gymnasium's environments and their processes are made before it, our worlds within it. Runs are interleaved, so
that a busy machine is busy for all.
Run with `python -m benchmarks.train_throughput`; needs the extras sb3 and rsl_rl.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import gymnasium
import torch
import tyro
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecNormalize
from torch import nn

from benchmarks.gymnasium_tasks import GymnasiumAnt, GymnasiumHopper
from eureka_agent.checks import check_source
from eureka_agent.jail import Wall
from eureka_agent.task import Task, TrainingBudget
from eureka_agent.trainer import Trainer, train
from eureka_agent.trainer.rsl_rl import train_rsl_rl
from eureka_agent.trainer.sb3 import train_sb3

GYMNASIUM_ENVS = 8
NO_EARLY_STOP = {"target_kl": None}
"""Every epoch is gone through, as with the others."""

TASKS: dict[str, GymnasiumHopper | GymnasiumAnt] = {"hopper": GymnasiumHopper(), "ant": GymnasiumAnt()}
Benchmarked = Literal["hopper", "ant"]
Training = Callable[[int], float]
"""Trains once with a seed; returns the seconds."""


@dataclass(frozen=True)
class Contestant:
    """One way to train, and how many worlds it steps."""

    name: str
    worlds: int
    train: Training


def main(
    envs: tuple[Benchmarked, ...] = ("hopper", "ant"),
    steps: int = 204_800,
    repeats: int = 3,
    quick: bool = False,
    torch_threads: int = 1,
) -> None:
    """Measure and print one table an environment.

    Args:
        envs: Environments to measure.
        steps: Environment steps of each training, rounded to rollouts of 2048.
        repeats: Trainings of each contestant.
        quick: 4096 steps, once: shows that everything runs and measures nothing.
        torch_threads: Threads of torch on Gymnasium's environments.
    """
    steps, repeats = (4096, 1) if quick else (steps, repeats)
    torch.set_num_threads(torch_threads)
    with Wall() as wall:
        for env in envs:
            task = TASKS[env]
            budget = replace(task.budgets["normal"], environment_steps=steps)
            ours = {"ours": train, "sb3, our worlds": _sb3_every_epoch, "rsl_rl, our worlds": train_rsl_rl}
            theirs = {"sb3, Dummy 8": DummyVecEnv, "sb3, Subproc 8": SubprocVecEnv}
            contestants = [
                *(Contestant(n, budget.num_envs, _on_our_worlds(task, budget, wall, t)) for n, t in ours.items()),
                *(Contestant(n, GYMNASIUM_ENVS, _on_gymnasium(task, budget, kind)) for n, kind in theirs.items()),
            ]
            _table(task, budget, contestants, _interleaved(contestants, repeats))


def _interleaved(contestants: list[Contestant], repeats: int) -> dict[str, list[float]]:
    """Seconds of each contestant's trainings; every repeat begins with another one."""
    seconds: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for repeat in range(repeats):
        first = repeat % len(contestants)
        for contestant in contestants[first:] + contestants[:first]:
            seconds[contestant.name].append(contestant.train(repeat))
    return seconds


def _sb3_every_epoch(*arguments: Any, **options: Any) -> Any:
    return train_sb3(*arguments, **options, options=NO_EARLY_STOP)


def _on_our_worlds(task: Task, budget: TrainingBudget, wall: Wall, trainer: Trainer) -> Training:
    reward = check_source(task.human_reward, task.reward_inputs)

    def run(seed: int) -> float:
        sealed = wall.open(reward, task.reward_inputs, max_rows=budget.num_envs * budget.horizon)
        start = time.perf_counter()
        (result,) = trainer(task, [sealed], budget, seed=seed)
        seconds = time.perf_counter() - start
        sealed.close()
        if result.error is not None:
            raise result.error
        return seconds

    return run


def _on_gymnasium(
    task: GymnasiumHopper | GymnasiumAnt, budget: TrainingBudget, kind: Callable[[list[Callable[[], Any]]], VecEnv]
) -> Training:
    def make() -> Any:
        return gymnasium.make(task.gymnasium_id, **task.gymnasium_options)

    def run(seed: int) -> float:
        rows = budget.num_envs * budget.horizon
        environment = VecNormalize(kind([make] * GYMNASIUM_ENVS), gamma=budget.discount)
        start = time.perf_counter()
        model = PPO(
            "MlpPolicy",
            environment,
            n_steps=rows // GYMNASIUM_ENVS,
            batch_size=rows // budget.minibatches,
            n_epochs=budget.epochs,
            learning_rate=budget.learning_rate,
            gamma=budget.discount,
            gae_lambda=budget.gae_lambda,
            max_grad_norm=1.0,
            policy_kwargs={
                "net_arch": list(budget.hidden),
                "activation_fn": nn.ELU,
                "log_std_init": math.log(budget.initial_std),
            },
            seed=seed,
            device="cpu",
        )
        model.learn(budget.iterations * rows)
        seconds = time.perf_counter() - start
        environment.close()
        return seconds

    return run


def _table(task: Task, budget: TrainingBudget, contestants: list[Contestant], seconds: dict[str, list[float]]) -> None:
    steps = budget.iterations * budget.num_envs * budget.horizon
    ours = statistics.median(seconds["ours"])
    print(f"\n{task.name}: {steps} environment steps, {len(seconds['ours'])} runs each")
    print(f"{'':20}{'worlds':>8}{'steps/s':>10}{'slowest':>10}{'fastest':>10}{'ours is faster by':>20}")
    for contestant in contestants:
        times = seconds[contestant.name]
        median = statistics.median(times)
        numbers = f"{steps / median:10.0f}{steps / max(times):10.0f}{steps / min(times):10.0f}{median / ours:19.2f}x"
        print(f"{contestant.name:20}{contestant.worlds:8}{numbers}")


if __name__ == "__main__":
    tyro.cli(main)

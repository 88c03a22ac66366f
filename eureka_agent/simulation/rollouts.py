"""Fitness: what trained policies really do, without exploration, on start states they have not
seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from eureka_agent.records import Evaluation
from eureka_agent.simulation.batched_env import Step, observation_of
from eureka_agent.tasks.task import State, Task

Act = Callable[[Tensor], Tensor]
"""Observations `(n, observation_size)` to actions `(n, action_size)`."""

_FRESH_SEED = 7_919
"""Added to the run's seed, so that evaluation never meets a start state of the training."""


def evaluate(
    task: Task,
    policies: Sequence[Act],
    *,
    episodes: int,
    seed: int,
    threads: int | None = None,
    device: str = "cpu",
) -> list[Evaluation]:
    """Run `episodes` full episodes of each policy, all side by side, and score them with the task's
    fitness.

    Each world runs one episode; all policies meet the same start states. Physics runs on `device`,
    policies on the CPU.
    """
    numbers = run_episodes(
        task, policies, episodes=episodes, seed=seed, threads=threads, device=device
    )
    return [summarise(each) for each in numbers]


def run_episodes(
    task: Task,
    policies: Sequence[Act],
    *,
    episodes: int,
    seed: int,
    threads: int | None = None,
    device: str = "cpu",
    watch: Callable[[State, Step], None] | None = None,
) -> list[dict[str, Tensor]]:
    """Return `(episodes,)` of `fitness`, `length` and each measure, per policy; see `evaluate`.

    `watch` sees every step, with the state that it started from; worlds go on after their episode.
    """
    if not policies:
        return []
    num_envs = len(policies) * episodes
    reads = () if watch is None else None
    env = task.make_env(
        num_envs,
        seed=seed + _FRESH_SEED,
        streams=episodes,
        device=device,
        threads=threads,
        reads=reads,
    )
    results: dict[str, Tensor] = {}
    unfinished = torch.ones(num_envs, dtype=torch.bool)
    while unfinished.any():
        slices = torch.split(observation_of(env).cpu(), episodes)
        with torch.no_grad():
            actions = torch.cat(
                [policy(slice_) for policy, slice_ in zip(policies, slices, strict=True)]
            )
        before = env.state
        step = env.step(torch.nan_to_num(actions).to(env.device))
        if watch is not None:
            watch(before, step)
        finished = step.finished
        ended = finished.env_ids.cpu()
        first = unfinished[ended]
        ids = ended[first]
        numbers = {"fitness": finished.fitness, "length": finished.length, **finished.measures}
        for name, value in numbers.items():
            results.setdefault(name, torch.zeros(num_envs))[ids] = value.cpu()[first]
        unfinished[ids] = False
    return [
        {name: value[k * episodes : (k + 1) * episodes] for name, value in results.items()}
        for k in range(len(policies))
    ]


def random_actions(task: Task, *, seed: int) -> Act:
    """Return a policy that draws every action entry uniformly from [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)

    def act(observation: Tensor) -> Tensor:
        return torch.rand(len(observation), task.action_size, generator=generator) * 2.0 - 1.0

    return act


def summarise(numbers: Mapping[str, Tensor]) -> Evaluation:
    """Return the means of what `run_episodes` gave for one policy, with the interval of the
    fitness."""
    fitness = numbers["fitness"].double()
    mean = float(fitness.mean())
    error = 1.96 * float(fitness.std()) / math.sqrt(len(fitness)) if len(fitness) > 1 else math.inf
    return Evaluation(
        fitness=mean,
        fitness_low=mean - error,
        fitness_high=mean + error,
        episodes=len(fitness),
        episode_length=float(numbers["length"].mean()),
        measures={k: float(v.mean()) for k, v in numbers.items() if k not in ("fitness", "length")},
    )

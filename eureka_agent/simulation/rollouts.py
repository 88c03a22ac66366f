"""Evaluation: full episodes of trained policies, from initial states that training did not use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from eureka_agent.records import Evaluation
from eureka_agent.simulation.batched_env import BatchedEnv, Step, observation_of
from eureka_agent.tasks.choices import one_hot
from eureka_agent.tasks.task import State, Task

Act = Callable[[Tensor], Tensor]
"""A policy: observations `(n, observation_size)` to actions `(n, action_size)`."""

_EVALUATION_SEED = 7_919
"""Added to the run's seed, so that evaluation does not use the initial states of the training."""


def evaluate(
    task: Task,
    policies: Sequence[Act],
    *,
    episodes: int,
    seed: int,
    threads: int | None = None,
    device: str = "cpu",
) -> list[Evaluation]:
    """Run full episodes of each policy and measure the task's fitness.

    All episodes run at once, one in each environment. Every policy gets the same initial states.

    Args:
        task: The task.
        policies: What to evaluate; they run on the CPU.
        episodes: Number of episodes of each policy.
        seed: Seed of the initial states, which differ from those of a training with this seed.
        threads: Physics threads on the CPU, by default all cores.
        device: Where the physics runs.

    Returns:
        Means and the interval of the fitness, one evaluation per policy.

    Raises:
        UsageError: The device is not supported.
        SimulationError: The task cannot be simulated.
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
    started: Callable[[BatchedEnv], None] | None = None,
    watch: Callable[[State, Step], None] | None = None,
    reads: Iterable[str] | None = None,
) -> list[dict[str, Tensor]]:
    """Run full episodes of each policy and return the numbers of every episode.

    Args:
        task: The task.
        policies: What acts; they run on the CPU.
        episodes: Number of episodes of each policy.
        seed: See `evaluate`.
        threads: Physics threads on the CPU, by default all cores.
        device: Where the physics runs.
        started: Called with the environments before the first step. Environment `k * episodes + e`
            runs episode `e` of policy `k`.
        watch: Called at every step with the state before it and the step. Environments are stepped
            until all episodes have ended, so it also sees steps of later episodes.
        reads: The names that `watch` reads (`Task.make_env`), by default all.

    Returns:
        Per policy: `fitness`, `length` and each measure, `(episodes,)` each.

    Raises:
        UsageError: The device is not supported.
        SimulationError: The task cannot be simulated.
    """
    if not policies:
        return []
    num_envs = len(policies) * episodes
    env = task.make_env(
        num_envs,
        seed=seed + _EVALUATION_SEED,
        streams=episodes,
        device=device,
        threads=threads,
        reads=() if watch is None else reads,
    )
    if started is not None:
        started(env)
    results: dict[str, Tensor] = {}
    unfinished = torch.ones(num_envs, dtype=torch.bool)
    while unfinished.any():
        slices = torch.split(observation_of(env).cpu(), episodes)
        with torch.no_grad():
            acts = zip(policies, slices, strict=True)
            actions = torch.cat([policy(observation) for policy, observation in acts])
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
    by_policy: list[dict[str, Tensor]] = []
    for k in range(len(policies)):
        own = slice(k * episodes, (k + 1) * episodes)
        by_policy.append({name: value[own] for name, value in results.items()})
    return by_policy


def random_actions(task: Task, *, seed: int) -> Act:
    """Return a policy that draws every action entry uniformly from [-1, 1], or every option."""
    generator = torch.Generator().manual_seed(seed)
    choices = list(task.action_choices)

    def act(observation: Tensor) -> Tensor:
        drawn = torch.rand(len(observation), task.action_size, generator=generator) * 2.0 - 1.0
        return one_hot(drawn, choices) if choices else drawn

    return act


def summarise(numbers: Mapping[str, Tensor]) -> Evaluation:
    """Return the means of one result of `run_episodes`, with the fitness's 95 % interval."""
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

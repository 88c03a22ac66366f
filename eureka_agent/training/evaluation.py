"""Evaluate trained policies, and record what they did and what their rewards paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eureka_agent.records import Behaviour, Evaluation
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.simulation.batched_env import Step
from eureka_agent.simulation.behaviour import BehaviourRecorder
from eureka_agent.simulation.rollouts import Act, run_episodes, summarise
from eureka_agent.tasks.task import State, Task
from eureka_agent.training.component_effects import ComponentRecorder


@dataclass(frozen=True)
class EvaluatedPolicy:
    """A trained policy and the reward that it was trained with."""

    policy: Act
    reward: RewardRunner | None
    """None: nothing is measured of its components."""


def evaluate_with_behaviour(
    task: Task,
    policies: Sequence[EvaluatedPolicy],
    *,
    episodes: int,
    seed: int,
    max_rows: int,
    threads: int | None = None,
    device: str = "cpu",
) -> list[tuple[Evaluation, Behaviour]]:
    """Evaluate policies as `simulation.rollouts.evaluate` does, and record what they did.

    Args:
        task: The task.
        policies: What to evaluate.
        episodes: Number of episodes of each policy.
        seed: Seed of the initial states, which differ from those of a training with this seed.
        max_rows: The most rows that a call of the rewards may have.
        threads: Physics threads on the CPU, by default all cores.
        device: Where the physics runs.

    Returns:
        One pair per policy. A reward that fails here leaves its components out.

    Raises:
        UsageError: The device is not supported.
        SimulationError: The task cannot be simulated.
    """
    runners = [each.reward for each in policies]
    components = ComponentRecorder(runners, episodes=episodes, max_rows=max_rows)
    recorder = BehaviourRecorder(task)

    def watch(before: State, step: Step) -> None:
        recorder.watch(before, step)
        components.watch(before, step)

    numbers = run_episodes(
        task,
        [each.policy for each in policies],
        episodes=episodes,
        seed=seed,
        threads=threads,
        device=device,
        watch=watch,
        reads={name for runner in runners if runner for name in runner.parameters},
    )
    components.finish()
    results: list[tuple[Evaluation, Behaviour]] = []
    for index, behaviour in enumerate(recorder.behaviours(numbers)):
        effects = components.effects(index, numbers[index]["fitness"])
        measured = components.episodes if effects else 0
        whole = replace(behaviour, components=effects, component_episodes=measured)
        results.append((summarise(numbers[index]), whole))
    return results

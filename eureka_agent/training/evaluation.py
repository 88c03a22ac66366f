"""Evaluate trained policies, and record what they did and what their rewards paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from eureka_agent.records import Behaviour, Evaluation
from eureka_agent.rewards.runner import RewardRunner
from eureka_agent.simulation.batched_env import Step
from eureka_agent.simulation.behaviour import BehaviourRecorder
from eureka_agent.simulation.recording import (
    EpisodeRecorder,
    RecordedEpisode,
    Series,
    chosen_episodes,
)
from eureka_agent.simulation.rollouts import Act, run_episodes, summarise
from eureka_agent.tasks.task import State, Task
from eureka_agent.training.component_effects import ComponentRecorder


@dataclass(frozen=True)
class EvaluatedPolicy:
    """A trained policy and the reward that it was trained with."""

    policy: Act
    reward: RewardRunner | None
    """None: nothing is measured of its components."""


@dataclass(frozen=True)
class Evaluated:
    """What a trained policy does."""

    evaluation: Evaluation
    behaviour: Behaviour
    replay: bytes | None
    """Its best, median and worst episode (`simulation/recording.py`); None if the simulator cannot
    show them."""


def evaluate_with_behaviour(
    task: Task,
    policies: Sequence[EvaluatedPolicy],
    *,
    episodes: int,
    seed: int,
    max_rows: int,
    has_fitness: bool = True,
    threads: int | None = None,
    device: str = "cpu",
) -> list[Evaluated]:
    """Evaluate policies as `simulation.rollouts.evaluate` does, and record what they did.

    Args:
        task: The task.
        policies: What to evaluate.
        episodes: Number of episodes of each policy.
        seed: Seed of the initial states, which differ from those of a training with this seed.
        max_rows: The most rows that a call of the rewards may have.
        has_fitness: Whether the task's fitness measures what is wanted; see `chosen_episodes`.
        threads: Physics threads on the CPU, by default all cores.
        device: Where the physics runs.

    Returns:
        One record per policy. A reward that fails here leaves its components out.

    Raises:
        UsageError: The device is not supported.
        SimulationError: The task cannot be simulated.
    """
    runners = [each.reward for each in policies]
    components = ComponentRecorder(runners, episodes=episodes, max_rows=max_rows)
    recorder = BehaviourRecorder(task)
    replays = EpisodeRecorder(task)

    def watch(before: State, step: Step) -> None:
        recorder.watch(before, step)
        components.watch(before, step)
        replays.watch(before, step)

    numbers = run_episodes(
        task,
        [each.policy for each in policies],
        episodes=episodes,
        seed=seed,
        threads=threads,
        device=device,
        started=replays.started,
        watch=watch,
        reads={name for runner in runners if runner for name in runner.parameters},
    )
    components.finish()
    results: list[Evaluated] = []
    for index, behaviour in enumerate(recorder.behaviours(numbers)):
        effects = components.effects(index, numbers[index]["fitness"])
        measured = components.episodes if effects else 0
        shown = chosen_episodes(
            numbers[index],
            first_env=index * episodes,
            among=components.episodes,
            has_fitness=has_fitness,
            end_of=recorder.end_of,
        )
        replay = replays.replay(shown, partial(_series, components, index, index * episodes))
        whole = replace(behaviour, components=effects, component_episodes=measured)
        results.append(Evaluated(summarise(numbers[index]), whole, replay))
    return results


def _series(
    components: ComponentRecorder, policy: int, first_env: int, episode: RecordedEpisode
) -> Series:
    """Return what each step of a policy's episode was paid."""
    return components.series(policy, episode.env - first_env)

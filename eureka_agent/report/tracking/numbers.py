"""The numbers of a search as trackers get them: finite, with safe tags."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from eureka_agent.records import Evaluation
from eureka_agent.report.tracking.tracker import Setting
from eureka_agent.search.events import RunFinished, RunStarted
from eureka_agent.training import Progress

_LONGEST_TAG = 60


def component_tags(names: Iterable[str]) -> dict[str, str]:
    """Return a tag for each component.

    A component's name was written by a model. A tag is part of file names and of web pages, so it
    consists of ASCII letters, digits, `_` and `-`. Names that differ have tags that differ, and the
    tags do not depend on the order of the names.
    """
    tags: dict[str, str] = {}
    for name in sorted(names):
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:_LONGEST_TAG]
        tag = stem
        number = 1
        while tag.casefold() in map(str.casefold, tags.values()):  # files ignore case in places
            number += 1
            tag = f"{stem}_{number}"
        tags[name] = tag
    return tags


def curve_points(progress: Progress, k: int) -> dict[str, float]:
    """Return the points that member `k` of a training adds to its curves, by tag."""
    components = progress.components[k]
    tags = component_tags(components)
    points = {
        "training/reward": progress.reward[k],
        "training/fitness": progress.fitness[k],
        "training/episode_length": progress.episode_length[k],
        "optimiser/kl": progress.kl[k],
        "optimiser/learning_rate": progress.learning_rate[k],
    }
    points |= {f"components/{tags[name]}": value for name, value in components.items()}
    return finite(points)


def results_of(evaluation: Evaluation, *, has_fitness: bool) -> dict[str, float]:
    """Return what a policy reached; without its fitness if that does not measure the instruction.

    Args:
        evaluation: Over all training seeds that are known.
        has_fitness: See `TaskConfig.has_fitness`.
    """
    results = {"result/episode_length": evaluation.episode_length}
    if has_fitness:
        results |= {
            "result/fitness": evaluation.fitness,
            "result/fitness_low": evaluation.fitness_low,
            "result/fitness_high": evaluation.fitness_high,
            "result/seeds": evaluation.seeds,
        }
    return finite(results)


def search_numbers(finished: RunFinished, *, has_fitness: bool) -> dict[str, float]:
    """Return the figures of a whole search."""
    numbers = {
        "result/environment_steps": finished.environment_steps,
        "result/training_seconds": finished.seconds,
    }
    best = finished.best.overall if finished.best else None
    if best is not None:
        numbers |= results_of(best, has_fitness=has_fitness)
    if finished.expected is not None:
        numbers["result/expected_fitness"] = finished.expected.value
    if finished.human_normalised is not None:
        numbers["result/human_normalised"] = finished.human_normalised
    return finite(numbers)


def settings_of(started: RunStarted) -> dict[str, Setting]:
    """Return the settings that tell searches apart.

    They are listed by hand: addresses and paths, which say whose machine this is, stay here.
    """
    config, budget = started.config, started.budget
    return {
        "task": started.task.name,
        "instruction": config.task.instruction(started.task),
        "proposer": started.proposer.name,
        "generations": config.search.generations,
        "samples": config.search.samples,
        "strategy": config.search.strategy,
        "feedback": config.search.feedback,
        "seed": config.search.seed,
        "seeds": config.search.seeds,
        "budget": config.training.budget,
        "num_envs": budget.num_envs,
        "environment_steps": budget.environment_steps,
        "trainer": config.training.trainer,
        "racing": config.training.racing,
        "device": config.training.device,
        "sandbox": started.sandbox.level,
        "resumed": started.resumed,
    }


def finite(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return the numbers without NaN and infinities, which trackers refuse or cannot draw."""
    return {tag: float(value) for tag, value in numbers.items() if math.isfinite(value)}

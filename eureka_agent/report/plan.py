"""What a run will train, counted before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from eureka_agent.config import SynthesisConfig
from eureka_agent.report.formatting import plural, quantity
from eureka_agent.search.events import RunStarted


@dataclass(frozen=True)
class PlannedTrainings:
    """The trainings of a whole run, if no reward fails and none is a duplicate."""

    rewards: int
    """One for each reward that is proposed, and one for the initial reward."""
    further_seeds: int
    """Of promising rewards, with further seeds."""
    references: int
    """Of the human and the sparse reward."""
    final: int
    """Of the best reward and the references with the final seeds."""
    environment_steps: int
    """Of all of them together."""

    @property
    def count(self) -> int:
        """The number of trainings."""
        return self.rewards + self.further_seeds + self.references + self.final


def planned_trainings(run: RunStarted) -> PlannedTrainings:
    """Count the trainings of a run from its settings.

    A race is counted with the fewest steps that its rungs allow.
    """
    config, budget = run.config, run.budget
    search, measured = config.search, config.task.has_fitness
    references = 2 if run.task.has_human_reward else 1
    starts = 0 if search.initial_reward is None else 1
    rewards = search.generations * search.samples + starts
    seeds = search.seeds if measured else 1
    further = _further_per_generation(config) * search.generations + starts * (seeds - 1)
    compared = references * seeds if measured and search.baselines else 0
    final = (1 + references) * search.final_seeds
    share = config.race.share(search.samples) if config.race else 1.0
    steps_each = budget.iterations * budget.num_envs * budget.horizon
    whole = (rewards + further) * share + compared + final
    return PlannedTrainings(rewards, further, compared, final, round(whole * steps_each))


def plan_line(run: RunStarted) -> str:
    """Return how much a run trains, in one sentence."""
    plan = planned_trainings(run)
    parts = [plural(plan.rewards, "reward")]
    parts += [f"{plan.further_seeds} with further seeds"] if plan.further_seeds else []
    parts += [f"{plan.references} of references"] if plan.references else []
    parts += [f"{plan.final} with final seeds"] if plan.final else []
    at_least = "at least " if run.config.race else ""
    return (
        f"Planned: up to {plural(plan.count, 'training')} ({', '.join(parts)}), {at_least}"
        f"{quantity(plan.environment_steps)} environment steps in all."
    )


def _further_per_generation(config: SynthesisConfig) -> int:
    if not config.task.has_fitness:
        return 0
    return config.search.trainings_per_generation - config.search.samples

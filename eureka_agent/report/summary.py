"""The final figures of a run as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from eureka_agent.config import SynthesisConfig
from eureka_agent.records import Evaluation, Outcome
from eureka_agent.report.cost import Cost
from eureka_agent.report.terminal.tables import generations_of
from eureka_agent.runs.directory import RunDir
from eureka_agent.search.events import RunFinished
from eureka_agent.search.reevaluation import reevaluation_summary
from eureka_agent.search.selection import greedy
from eureka_agent.tasks.task import Task
from eureka_agent.training.budgets import training_budget


def summary(finished: RunFinished, config: SynthesisConfig, task: Task) -> dict[str, Any]:
    """Return the content of `summary.json`: strings, numbers, lists and dictionaries.

    Unknown values, NaN and infinity become null, so that every JSON reader can read the file.
    Fitness is null, too, if the instruction has none and rankings decided.
    """
    budget, judged = training_budget(config, task), not config.task.has_fitness
    cost = Cost.of(
        [*(outcome.candidate.completion for outcome in finished.outcomes), *finished.replaced]
    )
    facts = {
        "run": finished.path.name,
        "task": task.name,
        "instruction": config.task.instruction(task),
        "proposer": _proposer(finished.outcomes, config),
        "seed": config.search.seed,
        "budget": {
            "name": config.training.budget,
            "generations": config.search.generations,
            "samples": config.search.samples,
            "num_envs": budget.num_envs,
            "environment_steps": budget.environment_steps,
            "evaluation_episodes": budget.evaluation_episodes,
        },
        "fitness_unit": None if judged else task.fitness_unit,
        "fitness_solved": None if judged else task.fitness_solved,
        "best": _best(finished, judged),
        "start": _start(finished, config, judged),
        "baselines": {
            baseline.name: _evaluation(baseline.evaluation, judged)
            for baseline in finished.baselines
        },
        "human_normalised": finished.human_normalised,
        "final": _final(finished),
        "distance_to_human": {
            o.candidate.name: o.distance_to_human
            for o in finished.outcomes
            if o.distance_to_human is not None
        },
        "generations": _generations(finished.outcomes, judged),
        "environment_steps": finished.environment_steps,
        "seconds": finished.seconds,
        "stopped": finished.stopped,
        "cost_usd": cost.known,
        "completions_of_unknown_price": cost.unpriced,
    }
    return {name: _plain(value) for name, value in facts.items()}


def _proposer(outcomes: Sequence[Outcome], config: SynthesisConfig) -> str:
    names = sorted(
        {
            outcome.candidate.completion.proposer
            for outcome in outcomes
            if not outcome.candidate.is_initial
        }
    )
    return ", ".join(names) or ", ".join(config.models.weights) or "grammar"


def _best(finished: RunFinished, judged: bool) -> dict[str, Any] | None:
    best = finished.best
    if best is None or best.evaluation is None:
        return None
    code = RunDir(finished.path).best_reward.name
    facts = _evaluation(best.evaluation, judged)
    return {
        "name": best.candidate.name,
        "code": code,
        "distance_to_human": best.distance_to_human,
        **facts,
    }


def _start(finished: RunFinished, config: SynthesisConfig, judged: bool) -> dict[str, Any] | None:
    """Return the initial reward's result, and by how much the best reward beats it."""
    start = next((outcome for outcome in finished.outcomes if outcome.candidate.is_initial), None)
    if start is None or start.evaluation is None:
        return None
    gain = finished.best.fitness - start.fitness if finished.best and not judged else None
    return {
        "from": config.search.initial_reward,
        "gain": gain,
        **_evaluation(start.evaluation, judged),
    }


def _evaluation(evaluation: Evaluation, judged: bool) -> dict[str, Any]:
    return {
        "fitness": None if judged else evaluation.fitness,
        "fitness_low": None if judged else evaluation.fitness_low,
        "fitness_high": None if judged else evaluation.fitness_high,
        "episodes": evaluation.episodes,
        "episode_length": evaluation.episode_length,
        "measures": dict(evaluation.measures),
    }


def _final(finished: RunFinished) -> dict[str, Any] | None:
    """Return the results over the final seeds with bootstrap intervals, None if unknown."""
    scores = reevaluation_summary(finished.finals)
    if scores is None:
        return None
    return {
        "seeds": scores.seeds,
        **{
            name: {"fitness": row.value, "low": row.low, "high": row.high}
            for name, row in scores.rows.items()
        },
        "best_checkpoints": dict(zip(scores.rows, scores.checkpoints, strict=True)),
        "human_normalised": scores.human_normalised,
        "human_normalised_clipped": scores.clipped,
    }


def _generations(outcomes: Sequence[Outcome], judged: bool) -> list[dict[str, Any]]:
    """Return one entry per generation; `mean_fitness` is over candidates that have a fitness."""
    entries = []
    for index in generations_of(outcomes):
        members = [outcome for outcome in outcomes if outcome.candidate.generation == index]
        known = (
            []
            if judged
            else [outcome.fitness for outcome in members if math.isfinite(outcome.fitness)]
        )
        best = None if judged else greedy(members)
        entries.append(
            {
                "generation": index,
                "best": best.candidate.name if best else None,
                "best_fitness": best.fitness if best else None,
                "mean_fitness": sum(known) / len(known) if known else None,
                "trained": sum(outcome.evaluation is not None for outcome in members),
                "stopped": sum(
                    bool(outcome.training and outcome.training.stopped) for outcome in members
                ),
                "repeated": sum(bool(outcome.duplicate_of) for outcome in members),
                "failed": sum(outcome.evaluation is None for outcome in members),
            }
        )
    return entries


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value

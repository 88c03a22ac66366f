"""The final figures of a run as plain JSON."""

from __future__ import annotations

import math
from typing import Any

from eureka_agent.records import Evaluation
from eureka_agent.report.model import GenerationReport, RunReport
from eureka_agent.report.standard_json import as_null, standard_json
from eureka_agent.runs.directory import RunDir
from eureka_agent.search.estimates import Estimate


def summary(report: RunReport) -> dict[str, Any]:
    """Return the content of `summary.json`: strings, numbers, lists and dictionaries.

    Unknown values, NaN and infinity become null, so that every JSON reader can read the file.
    Fitness is null, too, if the instruction has none and rankings decided.
    """
    task, protocol, effort = report.task, report.protocol, report.effort
    figures = {
        "run": report.name,
        "task": task.name,
        "instruction": task.instruction,
        "proposer": _proposer(report),
        "seed": protocol.seed,
        "init_policy": protocol.init_policy,
        "budget": {
            "name": protocol.budget,
            "generations": protocol.generations,
            "samples": protocol.samples,
            "num_envs": protocol.num_envs,
            "environment_steps": protocol.environment_steps,
            "evaluation_episodes": protocol.evaluation_episodes,
        },
        "fitness_unit": report.fitness_unit,
        "fitness_solved": task.fitness_solved if task.has_fitness else None,
        "best": _best(report),
        "start": _start(report),
        "baselines": {
            baseline.name: _evaluation(report, baseline.overall)
            for baseline in report.result.baselines
        },
        "human_normalised": report.result.human_normalised,
        "final": _final(report),
        "distance_to_human": {
            outcome.candidate.name: outcome.distance_to_human
            for outcome in report.outcomes
            if outcome.distance_to_human is not None
        },
        "generations": _generations(report),
        "environment_steps": effort.environment_steps,
        "seconds": effort.seconds,
        "stopped": report.stopped,
        "cost_usd": effort.cost.known,
        "completions_of_unknown_price": effort.cost.unpriced,
    }
    plain: dict[str, Any] = standard_json(figures, as_null)
    return plain


def _proposer(report: RunReport) -> str:
    names = {
        outcome.candidate.completion.proposer
        for outcome in report.outcomes
        if not outcome.candidate.is_initial
    }
    return ", ".join(sorted(names)) or ", ".join(report.protocol.models) or "grammar"


def _best(report: RunReport) -> dict[str, Any] | None:
    best = report.result.best
    overall = best.overall if best is not None else None
    if best is None or overall is None:
        return None
    return {
        "name": best.candidate.name,
        "code": RunDir(report.path).best_reward.name,
        "distance_to_human": best.distance_to_human,
        **_evaluation(report, overall),
        "expected": _expected(report.result.expected),
    }


def _expected(estimate: Estimate | None) -> dict[str, float] | None:
    """Return the fitness that a new training is expected to reach."""
    if estimate is None:
        return None
    return {"fitness": estimate.value, "low": estimate.low, "high": estimate.high}


def _start(report: RunReport) -> dict[str, Any] | None:
    """Return the initial reward's result, and by how much the best reward beats it."""
    start, best = report.initial, report.result.best
    overall = start.overall if start is not None else None
    if start is None or overall is None:
        return None
    gain = best.fitness - start.fitness if best is not None and report.task.has_fitness else None
    return {
        "from": report.protocol.initial_reward,
        "gain": gain,
        **_evaluation(report, overall),
    }


def _evaluation(report: RunReport, evaluation: Evaluation) -> dict[str, Any]:
    measured = report.task.has_fitness
    return {
        "fitness": evaluation.fitness if measured else None,
        "fitness_low": evaluation.fitness_low if measured else None,
        "fitness_high": evaluation.fitness_high if measured else None,
        "episodes": evaluation.episodes,
        "seeds": evaluation.seeds,
        "episode_length": evaluation.episode_length,
        "measures": dict(evaluation.measures),
    }


def _final(report: RunReport) -> dict[str, Any] | None:
    """Return the results over the final seeds with bootstrap intervals, None if unknown."""
    scores = report.result.reevaluation
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


def _generations(report: RunReport) -> list[dict[str, Any]]:
    """Return one entry per generation that has outcomes, without the initial reward's."""
    return [
        _generation(generation, has_fitness=report.task.has_fitness)
        for generation in report.generations
        if generation.outcomes and not generation.is_initial
    ]


def _generation(generation: GenerationReport, *, has_fitness: bool) -> dict[str, Any]:
    """Return a generation's figures; `mean_fitness` is over candidates that have a fitness."""
    outcomes, best = generation.outcomes, generation.best
    known = [outcome.fitness for outcome in outcomes if math.isfinite(outcome.fitness)]
    mean = sum(known) / len(known) if known and has_fitness else None
    stopped = [o for o in outcomes if o.training is not None and o.training.stopped is not None]
    return {
        "generation": generation.index,
        "best": best.candidate.name if best else None,
        "best_fitness": best.fitness if best else None,
        "mean_fitness": mean,
        "trained": sum(outcome.evaluation is not None for outcome in outcomes),
        "stopped": len(stopped),
        "repeated": sum(outcome.duplicate_of is not None for outcome in outcomes),
        "failed": sum(outcome.evaluation is None for outcome in outcomes),
    }

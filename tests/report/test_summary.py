from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eureka_agent.records import Completion, Feedback, Outcome
from eureka_agent.report import run_report, summary
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import stored_task
from eureka_agent.training.budgets import training_budget
from tests.support import run_events as runs


def written(
    folder: Path,
    outcomes: Sequence[Outcome],
    *,
    replaced: Sequence[Completion] = (),
    feedback: Feedback | None = None,
    **settings: object,
) -> dict[str, Any]:
    """Return the summary of a stored run, written to and read from JSON without NaN."""
    config = runs.config(**settings)
    with Store.create(folder / "run.db", config) as store:
        store.save_task(stored_task(runs.TASK, training_budget(config, runs.TASK)))
        completions = [(outcome.candidate, outcome.candidate.completion) for outcome in outcomes]
        for completion in replaced:
            store.save_completion(0, completion)
        for candidate, completion in completions:
            store.save_completion(candidate.generation, completion)
        store.save_outcomes([(outcome, None) for outcome in outcomes], seconds=754.0)
        store.save_baselines(runs.baselines())
        if feedback is not None:
            store.save_feedback(feedback)
        figures = summary(run_report(store))
    result: dict[str, Any] = json.loads(json.dumps(figures, allow_nan=False))
    return result


def test_the_figures_of_a_run(tmp_path: Path) -> None:
    answers = [runs.completion(i, 0.25 if i else None, "gpt-5") for i in range(4)]
    first = [runs.outcome(0, answers[i], runs.evaluation(float(i), turns=0.5)) for i in range(3)]
    first.append(runs.outcome(0, answers[3], runs.REFUSED))
    first[2] = replace(first[2], distance_to_human=0.25)
    second = [runs.outcome(1, answers[0], runs.REFUSED)]
    figures = written(tmp_path, [*first, *second], replaced=[answers[0]], model="gpt-5", seed=3)
    assert figures["task"] == "toy"
    assert (figures["proposer"], figures["seed"]) == ("gpt-5", 3)
    assert figures["budget"]["environment_steps"] == runs.STEPS
    assert figures["best"] == {
        "name": "g0c2",
        "code": "best_reward.py",
        "distance_to_human": 0.25,
        "expected": None,
        "fitness": 2.0,
        "fitness_low": 1.5,
        "fitness_high": 2.5,
        "episodes": 64,
        "seeds": 1,
        "episode_length": 250.0,
        "measures": {"turns": 0.5},
    }
    assert figures["baselines"]["human"]["fitness"] == 14.0
    assert figures["human_normalised"] == -0.2  # (2 - 4) / |14 - 4|
    assert figures["distance_to_human"] == {"g0c2": 0.25}
    # (0 + 1 + 2) / 3
    assert figures["generations"] == [
        {
            "generation": 0,
            "best": "g0c2",
            "best_fitness": 2.0,
            "mean_fitness": 1.0,
            "trained": 3,
            "stopped": 0,
            "repeated": 0,
            "failed": 1,
        },
        {
            "generation": 1,
            "best": None,
            "best_fitness": None,
            "mean_fitness": None,
            "trained": 0,
            "stopped": 0,
            "repeated": 0,
            "failed": 1,
        },
    ]
    # Three candidates, the human and the sparse reward.
    assert (figures["environment_steps"], figures["seconds"]) == (5 * runs.STEPS, 754.0)
    # Without a price: the first sample of both generations, and the answer that was replaced.
    assert (figures["cost_usd"], figures["completions_of_unknown_price"]) == (0.75, 3)


def test_nan_and_failures_become_null(tmp_path: Path) -> None:
    broken = runs.evaluation(runs.NAN, half=math.inf, turns=runs.NAN)
    outcomes = [
        runs.outcome(0, runs.completion(0), broken),
        runs.outcome(0, runs.completion(1), runs.REFUSED),
    ]
    figures = written(tmp_path, outcomes)
    assert figures["best"] is None
    assert figures["human_normalised"] is None
    assert figures["generations"][0]["mean_fitness"] is None
    assert figures["cost_usd"] == 0.0


def test_nan_of_a_chosen_candidate_becomes_null(tmp_path: Path) -> None:
    broken = runs.evaluation(runs.NAN, half=math.inf, turns=runs.NAN)
    chosen = runs.outcome(0, runs.completion(0), broken)
    best = written(tmp_path, [chosen], feedback=Feedback(0, ("g0c0",)))["best"]
    assert (best["fitness"], best["fitness_low"], best["measures"]) == (None, None, {"turns": None})


def test_with_a_person_as_judge_the_fitness_is_null(tmp_path: Path) -> None:
    best = runs.outcome(0, runs.completion(0), runs.evaluation(5.0))
    feedback = Feedback(0, ("g0c0",))
    figures = written(tmp_path, [best], feedback=feedback, env="toy", task="wave")
    assert figures["instruction"] == "wave"
    assert figures["best"]["name"] == "g0c0"
    assert figures["best"]["fitness"] is None
    assert figures["fitness_unit"] is None
    assert figures["generations"][0]["best_fitness"] is None

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

from eureka_agent.report import summary
from eureka_agent.search.events import RunFinished
from tests.support import run_events as runs


def written(finished: RunFinished, **settings: object) -> dict[str, Any]:
    """Return the summary, written to and read from JSON without NaN."""
    text = json.dumps(summary(finished, runs.config(**settings), runs.TASK), allow_nan=False)
    result: dict[str, Any] = json.loads(text)
    return result


def test_the_figures_of_a_run() -> None:
    answers = [runs.completion(i, 0.25 if i else None, "gpt-5") for i in range(4)]
    first = [runs.outcome(0, answers[i], runs.evaluation(float(i), turns=0.5)) for i in range(3)]
    first.append(runs.outcome(0, answers[3], runs.REFUSED))
    first[2] = replace(first[2], distance_to_human=0.25)
    second = [runs.outcome(1, answers[0], runs.REFUSED)]
    figures = written(runs.run_finished([*first, *second], first[2]), model="gpt-5", seed=3)
    assert figures["task"] == "toy"
    assert (figures["proposer"], figures["seed"]) == ("gpt-5", 3)
    assert figures["budget"]["environment_steps"] == runs.STEPS
    assert figures["best"] == {
        "name": "g0c2",
        "code": "best_reward.py",
        "distance_to_human": 0.25,
        "fitness": 2.0,
        "fitness_low": 1.5,
        "fitness_high": 2.5,
        "episodes": 64,
        "episode_length": 250.0,
        "measures": {"turns": 0.5},
    }
    assert figures["baselines"]["human"]["fitness"] == 14.0
    assert figures["human_normalised"] == 0.93
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
    assert (figures["environment_steps"], figures["seconds"]) == (12_000_000, 754.0)
    assert (figures["cost_usd"], figures["completions_of_unknown_price"]) == (0.75, 2)


def test_nan_and_failures_become_null() -> None:
    broken = runs.evaluation(runs.NAN, half=math.inf, turns=runs.NAN)
    outcomes = [
        runs.outcome(0, runs.completion(0), broken),
        runs.outcome(0, runs.completion(1), runs.REFUSED),
    ]
    figures = written(runs.run_finished(outcomes, None))
    assert figures["best"] is None
    assert figures["human_normalised"] is None
    assert figures["generations"][0]["mean_fitness"] is None
    assert figures["cost_usd"] == 0.0
    measured = written(runs.run_finished(outcomes, outcomes[0]))["best"]
    assert (measured["fitness"], measured["fitness_low"], measured["measures"]) == (
        None,
        None,
        {"turns": None},
    )


def test_with_a_person_as_judge_the_fitness_is_null() -> None:
    best = runs.outcome(0, runs.completion(0), runs.evaluation(5.0))
    figures = written(runs.run_finished([best], best), env="toy", task="wave")
    assert figures["instruction"] == "wave"
    assert figures["best"]["name"] == "g0c0"
    assert figures["best"]["fitness"] is None
    assert figures["fitness_unit"] is None
    assert figures["generations"][0]["best_fitness"] is None

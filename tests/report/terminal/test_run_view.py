from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from eureka_agent.config import SynthesisConfig
from eureka_agent.records import Feedback, PromptRecord
from eureka_agent.report import run_view
from eureka_agent.runs.store import Store
from eureka_agent.runs.stored_task import stored_task
from eureka_agent.training.budgets import training_budget
from eureka_agent.utils.serialization import to_json
from tests.support import run_events as runs


def read(store: Store, width: int = 100) -> str:
    paper = io.StringIO()
    Console(file=paper, width=width).print(run_view(store))
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines())


def create(folder: Path, config: SynthesisConfig) -> Store:
    store = Store.create(folder / "run.db", config)
    store.save_task(stored_task(runs.TASK, training_budget(config, runs.TASK)))
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with create(tmp_path, runs.config(model="gpt-5", base_url="http://localhost:1/v1")) as store:
        yield store


def test_a_run_that_was_stopped(store: Store) -> None:
    answers = [runs.completion(i, 0.0125 if i else None, "gpt-5") for i in range(4)]
    first = [
        runs.outcome(0, answer, runs.evaluation(float(answer.index))) for answer in answers[:3]
    ]
    first[1] = replace(first[1], distance_to_human=0.304)
    first.append(runs.outcome(0, answers[3], runs.REFUSED))
    for generation, parents in ((0, []), (1, ["g0c2"])):
        store.save_prompt(PromptRecord(generation, 0, 0, tuple(range(8)), (), tuple(parents)))
        for answer in answers:
            store.save_completion(generation, answer)
    store.save_outcomes([(one, None) for one in first])
    store.save_baselines(runs.baselines())
    store.save_metadata("sandbox", to_json(runs.LAYERS))
    text = read(store, 110)
    for words in (
        "gpt-5 at http://localhost:1/v1",
        "2 generations of 4 rewards, seed 0",
        "normal, 4 environments and 1.5 M environment steps per reward",
        "Rewards run in sealed processes (seccomp, landlock).",
        "m; -0.1 counts as solved",
        "Generation g0, from the task alone; cost $0.04 and 1 answer of unknown price",
        "g0c0       0.00  -0.50 to 0.50         -  unknown",
        "g0c1       1.00   0.50 to 1.50      0.30  $0.0125",
        "g0c2       2.00   1.50 to 2.50         -  $0.0125  best of its generation",
        (
            "g0c3          -              -         -  $0.0125  not allowed: compute_reward asks"
            " for 'mass_velocity'"
        ),
        "Generation g1, built on g0c2",
        "proposed, not trained yet",
        "human reward      14.00  13.50 to 14.50",
        "Best reward: g0c2, fitness 2.00 (1.50 to 2.50) m over 64 episodes.",
        "Not finished; continue with: eureka-agent resume",
    ):
        assert words in text, words


def test_a_run_that_has_just_started(store: Store) -> None:
    text = read(store, 80)
    assert "Generation g" not in text
    assert "Not finished" in text


def test_a_finished_run_without_prices(tmp_path: Path) -> None:
    with create(tmp_path, runs.config(generations=1, samples=1)) as store:
        answer = runs.completion(0)
        store.save_prompt(PromptRecord(0, 0, 0, (0, 1), (), ()))
        store.save_completion(0, answer)
        store.save_outcomes([(runs.outcome(0, answer, runs.evaluation(runs.NAN)), None)])
        store.save_finished()
        text = read(store)
    assert "the built-in grammar" in text
    assert "cost" not in text
    assert "g0c0        NaN        unknown" in text
    assert "Best reward" not in text
    assert "Not finished" not in text


def test_feedback_of_a_person_is_shown(tmp_path: Path) -> None:
    with create(tmp_path, runs.config(generations=2, samples=2, env="toy", task="wave")) as store:
        answers = [runs.completion(i) for i in range(2)]
        store.save_prompt(PromptRecord(0, 0, 0, (0, 1), (), ()))
        for answer in answers:
            store.save_completion(0, answer)
        store.save_outcomes(
            [
                (runs.outcome(0, answer, runs.evaluation(5.0 - answer.index)), None)
                for answer in answers
            ]
        )
        store.save_feedback(
            Feedback(0, ("g0c1", "g0c0"), {"g0c0": "too\x1b[31m\nshaky"}, stop=True)
        )
        store.save_finished()
        text = read(store)
    assert "toy: wave" in text
    assert "none; rankings judge" in text
    assert "Ranked, best first: g0c1 > g0c0." in text
    assert "Comment on g0c0: too\\x1b[31m shaky" in text
    assert "The judge ended the search here." in text
    assert "Not finished" not in text
    assert "Best reward: g0c1, episodes of 250 steps." in text

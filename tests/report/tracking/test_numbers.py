from __future__ import annotations

import re
from dataclasses import replace

from eureka_agent.report.tracking.numbers import (
    component_tags,
    curve_points,
    results_of,
    settings_of,
)
from tests.support import run_events as runs

HOSTILE = [
    "../../etc/passwd",
    "..",
    "<script>alert(1)</script>",
    "a/b",
    "a b",
    "a\\b",
    "A_b",
    "größe",
    "x" * 200,
    "x" * 201,
]


def test_tags_of_hostile_names_are_plain_short_and_different() -> None:
    tags = component_tags(HOSTILE)
    assert set(tags) == set(HOSTILE)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,70}", tag) for tag in tags.values())
    assert len({tag.casefold() for tag in tags.values()}) == len(HOSTILE)


def test_tags_of_plain_names_are_the_names_in_any_order() -> None:
    names = ["upright", "control_cost", "forward-speed"]
    assert component_tags(names) == {name: name for name in names}
    assert component_tags(reversed(HOSTILE)) == component_tags(HOSTILE)


def test_points_leave_out_what_is_not_finite() -> None:
    progress = replace(
        runs.progress(1, fitness=runs.NAN), components=({"upright": runs.NAN, "a/b": 0.5},)
    )
    assert curve_points(progress, 0) == {
        "training/reward": 1.0,
        "optimiser/kl": 0.01,
        "optimiser/learning_rate": 1e-3,
        "components/a_b": 0.5,
    }


def test_results_of_an_instruction_without_fitness_have_no_fitness() -> None:
    assert results_of(runs.evaluation(12.0), has_fitness=False) == {"result/episode_length": 250.0}
    assert results_of(runs.evaluation(12.0), has_fitness=True)["result/fitness"] == 12.0


def test_settings_hold_no_address_and_no_path() -> None:
    settings = runs.config(
        model="gpt-5", base_url="http://gpu.example.org/v1", runs_dir="/home/somebody/runs"
    )
    words = str(settings_of(runs.run_started(settings)))
    assert "'task': 'toy'" in words
    assert "'proposer': 'gpt-5'" in words
    assert not re.search("example|somebody", words)

"""What a run says of its trainings before it starts."""

from __future__ import annotations

import pytest

from eureka_agent.report import messages
from eureka_agent.report.announcements import where_trainings_start
from eureka_agent.report.plan import plan_line, planned_trainings
from tests.support import run_events as runs

EACH = 4 * 16
"""Environment steps of one iteration."""


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, (8, 0, 2, 0)),
        ({"baselines": False}, (8, 0, 0, 0)),
        ({"final_seeds": 3}, (8, 0, 2, 9)),
        ({"initial_reward": "human"}, (9, 0, 2, 0)),
        # two of four rewards with each further seed, in two generations; references with all seeds
        ({"seeds": 3}, (8, 2 * 2 * 2, 6, 0)),
        ({"seeds": 3, "initial_reward": "human"}, (9, 2 * 2 * 2 + 2, 6, 0)),
        ({"task": "do a flip", "env": "toy", "seeds": 3}, (8, 0, 0, 0)),
    ],
)
def test_trainings_of_a_run_are_counted_from_its_settings(
    changes: dict[str, object], counts: tuple[int, ...]
) -> None:
    run = runs.run_started(runs.config(environment_steps=3 * EACH, num_envs=4, **changes))
    plan = planned_trainings(run)
    assert (plan.rewards, plan.further_seeds, plan.references, plan.final) == counts
    steps = run.budget.iterations * run.budget.num_envs * run.budget.horizon
    assert plan.environment_steps == sum(counts) * steps


def test_race_is_counted_with_its_fewest_steps() -> None:
    run = runs.run_started(runs.config(racing=True, baselines=False))
    whole = runs.run_started(runs.config(baselines=False))
    assert run.config.race is not None
    share = run.config.race.share(4)
    expected = planned_trainings(whole).environment_steps * share
    assert planned_trainings(run).environment_steps == pytest.approx(expected, abs=1)
    assert "at least 4." in plan_line(run)


def test_start_of_a_run_says_how_much_it_trains() -> None:
    lines = messages.run_started(runs.run_started(runs.config(seeds=2, final_seeds=1)))
    assert (
        "Planned: up to 19 trainings (8 rewards, 4 with further seeds, 4 of references, 3 with"
        " final seeds), 28.5 M environment steps in all." in lines
    )


def test_start_of_a_run_says_what_its_trainings_start_from() -> None:
    assert where_trainings_start(None) == []
    (line,) = where_trainings_start("parent")
    assert line.startswith("The training of each candidate starts from the policy of the reward")
    assert line.endswith("the human and the sparse reward start from random weights.")
    started = runs.run_started(runs.config(init_policy="parent"))
    assert line in messages.run_started(started)

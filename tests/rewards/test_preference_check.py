"""The preference check: worked pairs, and no pass without enough episodes to compare."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from eureka_agent.errors import UsageError
from eureka_agent.rewards.preference_check import Preference, Rollouts, preference, roll_out
from eureka_agent.simulation.rollouts import random_actions
from eureka_agent.tasks.registry import find_task


def episodes(fitness: list[float], lengths: list[int] | None = None) -> Rollouts:
    """Return episodes with two kept rows each, of `lengths` steps (10 each)."""
    rows = torch.arange(len(fitness)).repeat_interleave(2)
    length = torch.tensor(lengths or [10] * len(fitness), dtype=torch.float32)
    return Rollouts({"x": torch.zeros(len(rows))}, rows, length, torch.tensor(fitness))


def judge(scores: list[float], rollouts: Rollouts, **settings: float) -> Preference:
    """Check a reward whose mean in each episode is `scores`: one row 0.5 below it, one above."""
    means = torch.tensor(scores)
    return preference(
        torch.stack((means - 0.5, means + 0.5), dim=1).flatten(), rollouts, **settings
    )


FOUR_OF_EACH = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]


def test_shares_of_pairs_by_hand() -> None:
    """All four failures count: 3 of 4 successes are above all, one (2) is above those with 0, 1."""
    found = judge([5.0, 5.0, 5.0, 2.0, 0.0, 1.0, 3.0, 4.0], episodes(FOUR_OF_EACH))
    assert found.per_step == found.in_total == (3 * 4 + 2) / 16
    assert (found.verdict, found.successes, found.failures) == ("pass", 4, 4)


def test_a_reward_that_scores_failures_higher_fails() -> None:
    rollouts = episodes(FOUR_OF_EACH)
    found = judge([0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 0.5, 2.0], rollouts)
    assert found.verdict == "fail"
    assert found.per_step == 1 / 16  # only the good one with 1 is above the bad one with 0.5
    assert "6% of the pairs per step" in found.reason
    ties = judge([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0], rollouts)
    assert (ties.verdict, ties.per_step) == ("fail", 0.0)  # a tie does not count as ranked right


def test_only_the_failures_with_the_highest_scores_count() -> None:
    """The hardest quarter of 16 failures is four; the 12 easy ones would make the share 0.75."""
    found = judge([1.0] * 4 + [2.0] * 4 + [0.0] * 12, episodes([1.0] * 4 + [0.0] * 16))
    assert (found.verdict, found.per_step) == ("fail", 0.0)


def test_episodes_of_middle_fitness_are_ignored() -> None:
    found = judge([1.0] * 4 + [0.0] * 4 + [9.0, -9.0], episodes([*FOUR_OF_EACH, 0.5, 0.6]))
    assert (found.verdict, found.per_step, found.successes, found.failures) == ("pass", 1.0, 4, 4)


def test_a_reward_with_more_per_step_but_less_in_total_for_failing_is_not_refused() -> None:
    """Failing pays 2 per step for 5 steps, succeeding 1 for 500: a policy learns to go on."""
    found = judge([1.0] * 4 + [2.0] * 4, episodes(FOUR_OF_EACH, [500] * 4 + [5] * 4))
    assert (found.verdict, found.per_step, found.in_total) == ("pass", 0.0, 1.0)


@pytest.mark.parametrize(
    ("fitness", "scores", "gap", "reason"),
    [
        ([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0, 0.0, 0.0], 0.0, "only 6 episodes"),
        ([3.0] * 12, [float(i) for i in range(12)], 0.0, "equally well"),
        (FOUR_OF_EACH, [1.0] * 4 + [0.0] * 4, 1.5, "equally well"),
        ([1.0] + [0.0] * 11, [1.0] + [0.0] * 11, 0.0, "1 clearly good and 11 clearly bad"),
        (FOUR_OF_EACH, [7.0] * 8, 0.0, "scores all episodes alike"),
        ([math.nan, *FOUR_OF_EACH], [1.0] * 9, 0.0, "equally well"),
    ],
)
def test_too_little_to_compare_is_unknown(
    fitness: list[float], scores: list[float], gap: float, reason: str
) -> None:
    found = judge(scores, episodes(fitness), least_gap=gap)
    assert found.verdict == "unknown"
    assert math.isnan(found.per_step)
    assert reason in found.reason


def test_no_episodes_at_all() -> None:
    nothing = roll_out(find_task("cartpole"), [], episodes=4, seed=0)
    assert preference(torch.zeros(0), nothing).verdict == "unknown"


def test_values_of_another_shape_are_refused() -> None:
    with pytest.raises(UsageError, match=r"expected \(16,\), got \(3,\)"):
        preference(torch.zeros(3), episodes(FOUR_OF_EACH))
    with pytest.raises(UsageError, match="numbered from 0"):
        Rollouts({}, torch.tensor([0, 2]), torch.ones(2), torch.ones(2))


def balance(observation: Tensor) -> Tensor:
    """A linear controller that keeps the pole up."""
    x, speed, angle, spin = observation.T
    push: Tensor = x + speed + 10.0 * angle + 2.0 * spin
    return push[:, None].clamp(-1.0, 1.0)


def test_episodes_of_policies_on_real_physics() -> None:
    """A balancing controller and random actions differ clearly: fitness counts upright steps."""
    task = find_task("cartpole")
    rollouts = roll_out(task, [balance, random_actions(task, seed=0)], episodes=4, seed=0)
    assert rollouts.fitness[:4].min() > 400.0
    assert rollouts.fitness[4:].max() < 100.0
    assert rollouts.episode.bincount()[:4].tolist() == [64] * 4  # of up to 500 steps
    assert (
        rollouts.episode.bincount()[4:].tolist() == rollouts.length[4:].clamp(max=64).int().tolist()
    )
    first, last = rollouts.state["episode_time"][:64][[0, -1]].tolist()
    assert (first, last) == pytest.approx((task.dt, float(rollouts.length[0]) * task.dt))
    angle, previous = rollouts.state["dof_pos"][:, 1], rollouts.state["prev_dof_pos"][:, 1]
    assert 0.0 < (angle - previous).abs().max() < 0.3  # one step apart in the same episode
    assert preference(torch.cos(angle), rollouts).verdict == "pass"
    assert preference(angle.abs(), rollouts).per_step == 0.0

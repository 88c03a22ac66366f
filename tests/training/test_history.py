"""Curves and correlations for the reflection."""

from __future__ import annotations

import math

import pytest

from eureka_agent.training.history import History, correlation, curve


def test_curve_has_the_means_of_ten_parts() -> None:
    result = curve("c", [float(i) for i in range(100)])
    # parts 0…9, 10…19, …: means 4.5, 14.5, …
    assert result.values == tuple(4.5 + 10 * i for i in range(10))
    assert (result.minimum, result.mean, result.maximum) == (0.0, 49.5, 99.0)


def test_iterations_without_an_episode_are_ignored() -> None:
    result = curve("fitness", [math.nan, math.nan, 2.0, 4.0])
    assert result.values == (2.0, 4.0)
    assert result.mean == 3.0
    nothing = curve("fitness", [math.nan])
    assert nothing.values == ()
    assert math.isnan(nothing.maximum)


def test_correlation_by_hand() -> None:
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1.0)
    assert correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0)
    # x - mean = (-1, 0, 1), y - mean = (-1, 2, -1): product sum 0
    assert correlation([1, 2, 3], [0, 3, 0]) == pytest.approx(0.0)
    assert math.isnan(correlation([1, 1, 1], [1, 2, 3]))
    assert correlation([1, math.nan, 2, 3], [2, 9, 4, 6]) == pytest.approx(1.0)


def test_record_of_a_history() -> None:
    history = History()
    for i in range(4):
        history.add(reward=i, components={"up": 2.0 * i}, fitness=i, length=10, bad=1)
    record = history.record(environment_steps=64, seconds=1.0)
    assert record.components[0].values == (0.0, 2.0, 4.0, 6.0)
    assert record.correlations["up"] == pytest.approx(1.0)
    assert record.diverged_envs == 4
